"""The synthetic colonoscopy: rendered by our own code, with exact masks, from a seed."""

from assets.scene.scene import Scene

__all__ = ["Scene"]
