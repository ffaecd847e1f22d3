"""The command line. Qt is imported only for a window; `analyse` never meets it."""

from __future__ import annotations

import argparse
import math
import os
import re
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from app.environment import has_display
from engine.drawing.overlays import OVERLAYS
from engine.faults import Fault, FaultCode, FaultError
from engine.sources.base import SourceOptions, SourceSpec
from engine.sources.live.devices import PIXEL_FORMATS

EXIT_OK, EXIT_INPUT = 0, 2
DEMO_OUT = Path("out") / "demo"

DESCRIPTION = "Outlines polyps in colonoscopy video while it plays. Research use only. Not a medical device."
EPILOG = (
    "A recording's findings, one by one: polyplive review VIDEO. "
    "Without a screen: polyplive analyse VIDEO --out DIR, polyplive export VIDEO --format coco --out DIR. "
    "Another model from now on: polyplive use MODEL. What is wrong with this machine: polyplive doctor."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the arguments ask for. Returns the exit code: 0 fine, 1 doctor's, 2 unusable input."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["analyse"]:
            return analyse(given[1:])
        if given[:1] == ["export"]:
            return export(given[1:])
        if given[:1] == ["use"]:
            return use(given[1:])
        if given[:1] == ["doctor"]:
            return doctor(given[1:])
        if given[:1] == ["review"]:
            return live(_parser("polyplive review", several=True).parse_args(given[1:]), reviews=True)
        return live(_parser().parse_args(given))
    except FaultError as error:
        print(error, file=sys.stderr)
        return EXIT_INPUT


def live(options: argparse.Namespace, *, reviews: bool = False) -> int:
    """The window; without a screen, the demonstration analysed instead. Raises FaultError for wrong input.

    `reviews`: the recording is opened for review.
    """
    launch_source = _source(options)
    review = _recording(launch_source) if reviews else ()
    if not has_display(os.environ, sys.platform):
        if not options.demo:
            raise FaultError(
                FaultCode.NO_DISPLAY,
                expected="a display (DISPLAY or WAYLAND_DISPLAY)",
                got="none",
                remedy="analyse without one: polyplive analyse VIDEO --out DIR",
                said="There is no display for the window. Without one: polyplive analyse VIDEO --out DIR.",
            )
        return demo_without_display(options)
    from app.launch import Launch
    from engine.settings import read_settings, settings_path

    found = read_settings(settings_path(), os.environ, options.set)
    chosen = found.settings
    if reviews and options.labels is not None:
        from engine.review.imports.opened import bring_in
        from engine.review.places import places_of

        bring_in(review, places_of(chosen.review.side_cars, chosen.review.library), options.labels)
    model, told = _model_to_start(_model(options.model), options.set, chosen.ai.model)
    launch = Launch(
        source=None if reviews else launch_source,
        review=review,
        options=SourceOptions(
            pixel_format=options.capture_format,
            size=_size(options.size),
            rate_hz=options.rate,
            decode=_decode(options.decode) or chosen.video.decode,
        ),
        model=model,
        runtime=_runtime(options.runtime) or chosen.ai.runtime,
        precision=options.precision or chosen.ai.precision,
        preset=chosen.ai.preset,
        threshold=chosen.ai.threshold if options.threshold is None else options.threshold,
        overlay=options.overlay or chosen.overlay.style,
        side_panel=chosen.screen.side_panel,
        names=chosen.screen.names,
        alarm_sound=chosen.alarm.sound,
        settings=chosen,
        over=_promoted() | dict(found.over),
        keeps=settings_path(),
        faults=(*found.faults, *told),
        full_screen=options.fullscreen,
        quit_after_s=options.quit_after,
        screenshot=options.screenshot,
        stats=options.stats,
    )
    from app.application import run  # Qt

    return run(launch)


def analyse(arguments: Sequence[str]) -> int:
    """The verb without a screen."""
    from engine.analysis import cli as verb

    parser = argparse.ArgumentParser(
        prog="polyplive analyse", description="Every frame of a source, without a screen. Research use only."
    )
    verb.add_arguments(parser)
    return int(verb.run(parser.parse_args(arguments)))


def export(arguments: Sequence[str]) -> int:
    """The verb that hands on what is known of a recording; side-cars lie where the settings say."""
    from engine.review.exports import cli as verb
    from engine.review.places import places_of
    from engine.settings import read_settings, settings_path

    chosen = read_settings(settings_path(), os.environ).settings.review
    return int(verb.main(arguments, places_of(chosen.side_cars, chosen.library)))


def use(arguments: Sequence[str]) -> int:
    """The verb that puts a model in use, or the one before."""
    from engine.promotion import cli as verb

    return int(verb.main(arguments))


def doctor(arguments: Sequence[str]) -> int:
    """The verb that says what is right and wrong with this machine. Returns 1 when something fails."""
    from engine.doctor.__main__ import main as verb

    return verb(arguments, prog="polyplive doctor")


def demo_without_display(options: argparse.Namespace) -> int:
    """Analyse the demonstration with its overlay into a folder; the verb says where everything is."""
    print("There is no display here, so the demonstration is analysed without one.", flush=True)
    arguments = ["demo:", "--out", str(options.out), "--overlay", options.overlay or "contour"]
    for name in ("model", "runtime", "precision", "threshold", "decode"):
        if (value := getattr(options, name)) is not None:
            arguments += [f"--{name}", str(value)]
    return analyse(arguments)


def _parser(prog: str = "polyplive", *, several: bool = False) -> argparse.ArgumentParser:
    """`several`: files that are one recording in parts can be named, too."""
    parser = argparse.ArgumentParser(prog=prog, description=DESCRIPTION, epilog=EPILOG)
    what = "a video file or a folder of pictures" + (", or the files of one recording" if several else "")
    parser.add_argument("video", nargs="*" if several else "?", metavar="VIDEO", help=what)
    if several:
        parser.add_argument(
            "--labels", type=Path, metavar="PATH", help="masks of others: a folder of PNGs, COCO or CVAT"
        )
    parser.add_argument(
        "--source", metavar="SPEC", help="v4l2:/dev/video0, rtsp://…, udp://…, a folder or a file"
    )
    parser.add_argument("--demo", action="store_true", help="the demonstration that comes with the program")
    parser.add_argument("--model", metavar="ID_OR_DIR", help="a model's name or folder")
    parser.add_argument("--runtime", metavar="NAME", help="auto, openvino, openvino:GPU, tensorrt, …")
    parser.add_argument("--precision", choices=("auto", "f32", "bf16", "f16", "int8"))
    parser.add_argument("--threshold", type=_share, metavar="P", help="mark from this probability on")
    parser.add_argument("--overlay", choices=tuple(OVERLAYS))
    parser.add_argument("--decode", metavar="NAME", help="software, auto, or a hardware decoder: cuda, …")
    parser.add_argument("--fullscreen", action="store_true")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting for this run, such as ai.preset=quiet; what is chosen in the window is kept",
    )
    capture = parser.add_argument_group("capture devices")
    capture.add_argument("--capture-format", default="auto", choices=("auto", *PIXEL_FORMATS))
    capture.add_argument("--size", metavar="WxH", help="such as 1920x1080")
    capture.add_argument("--rate", type=_positive, metavar="HZ")
    tests = parser.add_argument_group("smoke tests and pictures of the window")
    tests.add_argument("--quit-after", type=_positive, metavar="S", help="close after that many seconds")
    tests.add_argument(
        "--screenshot", type=Path, metavar="FILE.png", help="the window, as painted just before it closes"
    )
    tests.add_argument("--stats", type=Path, metavar="FILE.json", help="statistics of the whole run")
    tests.add_argument(
        "--out", type=Path, default=DEMO_OUT, metavar="DIR", help="for --demo without a display (%(default)s)"
    )
    parser.add_argument("--version", action="version", version=f"polyplive {_version()}")
    return parser


def _source(options: argparse.Namespace) -> SourceSpec | None:
    from engine.sources import SEPARATOR, parse_source

    video = options.video if isinstance(options.video, str) else SEPARATOR.join(options.video or ())
    asked = [text for text in (video, options.source, "demo:" if options.demo else None) if text]
    if len(asked) > 1:
        raise _wrong("one source", " and ".join(asked), "give VIDEO, --source or --demo, one of them")
    if not asked:
        return None
    spec = parse_source(asked[0])
    if spec.kind in ("file", "images") and not Path(spec.address).exists():
        raise FaultError(
            FaultCode.SOURCE_MISSING,
            expected="a video file or a folder of pictures",
            got=f"nothing at {spec.address}",
            remedy="check the path",
            said=f"There is nothing at {spec.address}. Name a video file or a folder of pictures.",
        )
    return spec


def _recording(source: SourceSpec | None) -> tuple[Path, ...]:
    """The files of what is to be reviewed. Raises FaultError ARGUMENT."""
    if source is None or source.kind not in ("file", "images", "joined"):
        raise FaultError(
            FaultCode.ARGUMENT,
            expected="a video file or a folder of pictures to review",
            got=source.text if source is not None else "nothing",
            remedy="name one: polyplive review VIDEO",
            said="What is reviewed is a video or a folder of pictures. Name one: polyplive review VIDEO.",
        )
    from engine.sources import SEPARATOR

    return tuple(Path(path) for path in source.address.split(SEPARATOR))


def _model(name: str | None) -> str | None:
    if name is not None:
        from engine.model_folder import find_model

        find_model(name)  # one that cannot be found is said before there is a window
    return name


def _model_to_start(
    named: str | None, assignments: Sequence[str], kept: str
) -> tuple[str | None, tuple[Fault, ...]]:
    """What was asked for this once, else what the log of promotions says, else (nothing was promoted yet) the
    one kept in the settings; None for the factory's. And what is wrong with the log.
    """
    from engine.model_in_use import log_path, model_in_use
    from engine.settings import read_settings

    once = named or read_settings(None, os.environ, assignments).settings.ai.model
    if once or not log_path().exists():
        return once or kept or None, ()
    in_use = model_in_use()
    told = (in_use.fault.as_fault("promotion"),) if in_use.fault is not None else ()
    return (None if in_use.is_factory else str(in_use.path)), told


def _promoted() -> dict[str, str]:
    """What decides of the model at every start, once one has been put in use."""
    from engine.model_in_use import log_path

    return {"ai.model": "What was put in use by `main.py use`"} if log_path().exists() else {}


def _runtime(name: str | None) -> str | None:
    if name not in (None, "auto"):
        from engine.runtime import parse_runtime

        parse_runtime(name)
    return name


def _decode(name: str | None) -> str | None:
    if name not in (None, "software"):
        from engine.sources.file.decode_choice import check_name

        check_name(name)  # a word that is none is said before there is a window
    return name


def _size(text: str | None):  # type: ignore[no-untyped-def]
    from engine.types import Size

    if text is None:
        return None
    match = re.fullmatch(r"(\d+)[xX×](\d+)", text)
    if match is None or "0" in match.groups():
        raise _wrong("a size such as 1920x1080", repr(text), "write width x height in pixels")
    return Size(int(match[1]), int(match[2]))


def _share(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1.0:
        raise argparse.ArgumentTypeError(f"{text} is no probability: write a number between 0 and 1")
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not (value > 0.0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"{text} is not enough: write a number above 0")
    return value


def _wrong(expected: str, got: str, remedy: str) -> FaultError:
    return FaultError(FaultCode.ARGUMENT, expected=expected, got=got, remedy=remedy)


def _version() -> str:
    try:
        return metadata.version("polyplive")
    except metadata.PackageNotFoundError:
        return "from a source tree"
