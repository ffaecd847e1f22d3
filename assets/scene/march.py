"""Sphere tracing of a signed distance, coarse cones first (Hart 1996; cone marching: Donnelly 2005).

A cone that holds a block of pixels advances until the surface comes near its edge; the pixels of the block
start from there. Points are worked on in pieces that stay in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.types import F32

Distance = Callable[[F32, F32, F32], F32]
FAR_CM = 45.0
_PIECE = 16384
_SAFE = 0.82  # the distance bends with the tube: it may overstate by up to a fifth


def in_pieces(distance: Distance, x: F32, y: F32, z: F32) -> F32:
    """The distance of many points, evaluated in cache-sized pieces."""
    out = np.empty_like(x)
    for start in range(0, x.size, _PIECE):
        piece = slice(start, start + _PIECE)
        out[piece] = distance(x[piece], y[piece], z[piece])
    return out


def trace(distance: Distance, origin: F32, rays: F32, angle_px: float, near_cm: float = 0.05) -> F32:
    """Distance along each ray to the surface, float32 [h, w] for unit `rays` [h, w, 3]; FAR_CM where none."""
    height, width = rays.shape[:2]
    start: F32 | None = None
    old_block = 0
    for block in (16, 4):
        rows, columns = -(-height // block), -(-width // block)
        centre_y = np.minimum(np.arange(rows) * block + block // 2, height - 1)
        centre_x = np.minimum(np.arange(columns) * block + block // 2, width - 1)
        d = rays[np.ix_(centre_y, centre_x)].reshape(-1, 3)
        t = np.full(d.shape[0], near_cm, np.float32)
        if start is not None:
            ratio = old_block // block
            t = np.repeat(np.repeat(start, ratio, 0), ratio, 1)[:rows, :columns].ravel().copy()
        start = _cones(distance, origin, d, t, angle_px * block * 0.85).reshape(rows, columns)
        old_block = block
    assert start is not None
    t = np.repeat(np.repeat(start, old_block, 0), old_block, 1)[:height, :width].ravel().copy()
    return _rays(distance, origin, rays.reshape(-1, 3), t, angle_px).reshape(height, width)


def _cones(distance: Distance, origin: F32, d: F32, t: F32, spread: float) -> F32:
    active = np.arange(t.size)
    for _ in range(60):
        p = origin + d[active] * t[active, None]
        clear = in_pieces(distance, p[:, 0].copy(), p[:, 1].copy(), p[:, 2].copy())
        free = _SAFE * clear - spread * t[active]
        go = (free > 0.01) & (t[active] < FAR_CM)
        t[active[go]] += free[go] / np.float32(1 + spread)
        active = active[go]
        if active.size == 0:
            break
    return t


def _rays(distance: Distance, origin: F32, d: F32, t: F32, angle_px: float) -> F32:
    active = np.arange(t.size)
    dx, dy, dz = (np.ascontiguousarray(d[:, k]) for k in range(3))
    for _ in range(48):
        along = t[active]
        clear = in_pieces(
            distance,
            origin[0] + dx[active] * along,
            origin[1] + dy[active] * along,
            origin[2] + dz[active] * along,
        )
        t[active] = along + np.float32(_SAFE) * clear
        active = active[(clear > np.float32(0.25 * angle_px) * along + np.float32(5e-4)) & (along < FAR_CM)]
        if active.size == 0:
            break
    return np.minimum(t, np.float32(FAR_CM))


def normals(distance: Distance, point: F32, eps_cm: F32) -> F32:
    """Unit gradient of the distance at [n, 3], by four samples on a tetrahedron `eps_cm` [n] away."""
    total = np.zeros_like(point)
    for corner in ((1, -1, -1), (-1, -1, 1), (-1, 1, -1), (1, 1, 1)):
        k = np.array(corner, np.float32)
        d = in_pieces(distance, *(point[:, axis] + eps_cm * k[axis] for axis in range(3)))
        total += d[:, None] * k
    return np.asarray(total / (np.linalg.norm(total, axis=1, keepdims=True) + 1e-9), np.float32)


def facing_viewer(normal: F32, rays: F32) -> F32:
    """Normals [n, 3] turned to the viewer where they point away: at a silhouette the samples straddle it."""
    away = np.einsum("ij,ij->i", normal, rays)
    turned = normal - np.maximum(away + np.float32(0.03), 0)[:, None] * rays
    return np.asarray(turned / np.linalg.norm(turned, axis=1, keepdims=True), np.float32)
