"""Where pretrained weights are looked for: the data folder, the user's own folder, then the hub."""

from __future__ import annotations

from pathlib import Path

from distill.recipe import TeacherPart
from engine.faults import FaultCode, FaultError
from engine.files.whole import user_data
from engine.models.original_files import ORIGINALS
from engine.models.torchvision_guard import ensure_torchvision

WEIGHTS = "weights"
HUB_PAGE = "https://huggingface.co/"
TIMM_TEACHER = "timm:"
TEACHER_SUFFIXES = ("", ".safetensors", ".pth", ".pt", ".bin")  # "": a folder as the hub has it


def weights_folder() -> Path:
    """Where somebody puts weights once for all data: `data/weights` of POLYPLIVE_HOME, or the user's own."""
    return user_data() / WEIGHTS


def encoder_file(encoder: str, data_root: Path) -> Path | None:
    """A file with the weights of a timm encoder, the data folder's before the user's.

    A safetensors file that bears its name, or the .pth of its authors by theirs.
    """
    original = ORIGINALS.get(encoder)
    for folder in (data_root / WEIGHTS, weights_folder()):
        for path in sorted(folder.glob(f"{encoder}*.safetensors")):
            if encoder_named_by(path.name) == encoder:
                return path
        for path in sorted(folder.glob(f"{original.file}*.pth")) if original else ():
            if encoder_named_by(path.name) in ("", encoder):
                return path
    return None


def encoder_named_by(file_name: str) -> str:
    """The longest name of a timm encoder that the file's begins with; "" when it begins with none."""
    ensure_torchvision()
    import timm

    return max((known for known in timm.list_models() if file_name.startswith(known)), key=len, default="")


def named_file(name: str, data_root: Path) -> Path:
    """A file that a recipe names: as it is, from the data folder, or by its last name in the user's own."""
    own = weights_folder() / Path(name).name
    given = data_root / name  # an absolute name stays as it is
    return own if not given.exists() and own.is_file() else given


def located(part: TeacherPart, data_root: Path) -> TeacherPart:
    """A teacher with its weights' file, where there is one; otherwise as it was, for the hub."""
    if part.weights.startswith("hf-hub:"):
        return part
    if part.weights:
        path: Path | None = named_file(part.weights, data_root)
        if path is not None and not path.exists():
            path = None
    elif part.name.startswith(TIMM_TEACHER):
        path = encoder_file(part.name.removeprefix(TIMM_TEACHER), data_root)
    else:
        path = _teacher_file(part.name, data_root)
    return part if path is None else part.model_copy(update={"weights": str(path)})


def _teacher_file(teacher: str, data_root: Path) -> Path | None:
    """A file or a downloaded folder that bears the name of a teacher, the data folder's before the user's."""
    for folder in (data_root / WEIGHTS, weights_folder()):
        for suffix in TEACHER_SUFFIXES:
            path = folder / f"{teacher}{suffix}"
            if path.exists():
                return path
    return None


def encoder_hub(encoder: str) -> str:
    """timm's hub name of the encoder's pretrained weights; "" when it has none."""
    ensure_torchvision()
    import timm

    about = timm.get_pretrained_cfg(encoder, allow_unregistered=True)
    return str(about.hf_hub_id or "") if about else ""


def not_at_hand(encoder: str, why: str, remedy: str = "") -> FaultError:
    """In one sentence: what is missing, where to get it, where to put it."""
    hub = encoder_hub(encoder)
    source = f"download model.safetensors from {HUB_PAGE}{hub}" if hub else "get them in timm's key names"
    put = f"{source} and save it as {weights_folder() / f'{encoder}.safetensors'}"
    if encoder in ORIGINALS:
        put += f", or put the authors' {ORIGINALS[encoder].file}*.pth there"
    return FaultError(
        FaultCode.MODEL_MISSING,
        expected=f"the pretrained weights of {encoder}",
        got=why,
        remedy=put,
        said=f"The pretrained weights of {encoder} are not at hand ({why}): {put}{remedy}.",
    )
