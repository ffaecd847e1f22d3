"""Settings: defaults < file < variable < --set; a wrong one falls back alone, and nothing is overwritten."""

import threading

import pytest

from engine.faults import FaultError
from engine.settings import CHOICES, DEFAULTS, ROWS, Kind, keep, parse, read_settings


@pytest.fixture
def path(tmp_path):
    return tmp_path / "config" / "settings.toml"


@pytest.fixture
def stored(path):
    def store(text):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return store


def test_without_a_file_everything_is_as_usual_and_none_is_made(path):
    found = read_settings(path)

    assert (found.settings.overlay.style, found.settings.screen.names, found.faults) == ("contour", True, ())
    assert not path.exists()


def test_the_command_line_goes_over_a_variable_over_the_file_over_the_defaults(stored):
    path = stored('[ai]\npreset = "quiet"\nprecision = "f32"\nthreshold = 0.3\n')
    variables = {"POLYPLIVE__AI__PRECISION": "bf16", "POLYPLIVE__AI__THRESHOLD": "0.4", "POLYPLIVE_HOME": "x"}
    found = read_settings(path, variables, ["ai.threshold=0.5", "screen.names=false"])

    assert found.faults == ()
    ai = found.settings.ai
    assert (ai.preset, ai.precision, ai.threshold, ai.runtime) == ("quiet", "bf16", 0.5, "auto")
    assert found.settings.screen.names is False


@pytest.mark.parametrize(
    ("line", "key", "what"),
    [
        ('overlay.style = "hearts"', "overlay.style", "'hearts'"),
        ("overlay.style = 7", "overlay.style", "7"),
        ("ai.threshold = 1.5", "ai.threshold", "1.5"),
        ("ai.threshold = nan", "ai.threshold", "nan"),
        ('ai.threshold = "0.5"', "ai.threshold", "'0.5'"),
        ("screen.names = 1", "screen.names", "1"),
        ('ai.model = "no-such-model"', "ai.model", "no-such-model"),
        ('ai.runtime = "openvina"', "ai.runtime", "openvina"),
        ('video.decode = "cudda"', "video.decode", "cudda"),
        ("ai.preset = [1]", "ai.preset", "[1]"),
    ],
)
def test_a_wrong_value_falls_back_alone_and_is_told_with_file_and_key(stored, line, key, what):
    path = stored(f'ai.precision = "f32"\n{line}\n')
    found = read_settings(path)
    (fault,) = found.faults
    section, _, name = key.partition(".")

    assert getattr(getattr(found.settings, section), name) == DEFAULTS[key]
    assert found.settings.ai.precision == "f32"
    assert str(path) in fault.sentence
    assert f"{key} cannot be" in fault.sentence
    assert what in fault.sentence
    assert path.exists()


def test_an_unknown_key_is_told_with_the_nearest_that_exists(stored):
    found = read_settings(stored('[ai]\nmodle = "x"\n[overlays]\nstyle = "box"\n'))

    assert "no setting ai.modle. Did you mean ai.model?" in found.faults[0].sentence
    assert "Did you mean overlay.style?" in found.faults[1].sentence


@pytest.mark.parametrize(
    "assignment",
    ["ai.modle=x", "overlay.style=hearts", "ai.threshold=2", "nonsense", "ai.model=no-such-model"],
)
def test_a_wrong_one_on_the_command_line_is_refused(path, assignment):
    with pytest.raises(FaultError, match=r"^--set "):
        read_settings(path, {}, [assignment])


@pytest.mark.parametrize(
    "content",
    ["[ai", "\x00" * 5, b"\xff\xfe[\x00a\x00", "ai = {" * 5000, "x = " + "[" * 100_000, "#" * 2_000_000],
    ids=range(6),
)
def test_a_broken_file_is_set_aside_and_said(stored, content):
    path = stored(content)
    before = path.read_bytes()
    found = read_settings(path)

    (aside,) = path.parent.glob("settings.damaged-*.toml")
    assert aside.read_bytes() == before
    assert aside.name in found.faults[0].sentence
    assert found.settings.overlay.style == "contour"


def test_what_is_kept_is_there_at_the_next_start_and_the_rest_of_the_file_stays(stored):
    path = stored('# mine\n[ai]\nmodel = "x" # a note\nfuture = 3\n')
    keep(path, {"overlay.style": "box", "screen.side_panel": False, "ai.threshold": 0.25})
    keep(path, {"ai.threshold": None, "ai.preset": "quiet"})
    text = path.read_text()
    settings = read_settings(path).settings

    assert "# mine" in text
    assert 'model = "x" # a note' in text
    assert "future = 3" in text
    assert (settings.overlay.style, settings.screen.side_panel) == ("box", False)
    assert (settings.ai.threshold, settings.ai.preset) == (None, "quiet")


def test_two_windows_keep_each_others_settings(path):
    changes = [{key: value} for key, value in DEFAULTS.items() if value is not None]
    windows = [threading.Thread(target=keep, args=(path, change)) for change in changes]
    for window in windows:
        window.start()
    for window in windows:
        window.join()

    assert read_settings(path).given == {key for change in changes for key in change}


def test_a_file_that_was_broken_meanwhile_is_set_aside_not_overwritten(stored):
    path = stored("[ai\nmodel = ")
    keep(path, {"overlay.style": "box"})

    assert read_settings(path).settings.overlay.style == "box"
    (aside,) = path.parent.glob("settings.damaged-*.toml")
    assert aside.read_text() == "[ai\nmodel = "


def test_what_a_page_shows_of_a_setting_comes_from_its_type():
    threshold = ROWS["ai.threshold"]

    assert (threshold.kind, threshold.limits, threshold.default) == (Kind.NUMBER, "over 0 and under 1", None)
    assert ROWS["overlay.style"].choices == ("contour", "fill", "box", "corners")
    assert ROWS["review.library"].kind is Kind.PATH
    assert ROWS["review.side_cars"].said("library") == "In the library"
    assert all(row.title and row.why.endswith(".") for row in ROWS.values())
    unknown = {key for key, row in ROWS.items() if row.kind is Kind.CHOICE and not row.choices}
    assert unknown == set(CHOICES), "what the type does not list is looked for"
    for key, look in CHOICES.items():
        assert [parse(key, value, strict=True) for value in look()] == list(look())


def test_keys_are_kept_by_action_and_a_wrong_one_falls_back_alone(stored):
    path = stored('[keys]\nstop = ["F13", "Ctrl+K"]\nplay-pause = 7\n')
    found = read_settings(path, {}, ["keys.last=F14"])

    assert found.settings.keys == {"stop": ("F13", "Ctrl+K"), "last": ("F14",)}
    assert "keys.play-pause cannot be 7" in found.faults[0].sentence
    keep(path, {"keys.play-pause": ("F15",), "keys.stop": None, "keys.last": ()})
    assert read_settings(path).settings.keys == {"play-pause": ("F15",), "last": ()}


def test_what_goes_over_the_file_is_known_by_its_key(stored):
    found = read_settings(stored(""), {"POLYPLIVE__AI__PRESET": "quiet"}, ["screen.names=false"])

    assert found.over == {
        "ai.preset": "The variable POLYPLIVE__AI__PRESET",
        "screen.names": "--set screen.names",
    }


def test_a_folder_for_the_library_must_be_whole_and_one_that_can_be_written_to(stored, tmp_path):
    (tmp_path / "file").write_text("")
    for wrong, why in (("library", "a whole path"), (tmp_path / "file" / "in", "is a file")):
        (fault,) = read_settings(stored(f'[review]\nlibrary = "{wrong}"')).faults
        assert why in fault.sentence
    found = read_settings(stored(f'[review]\nlibrary = "{tmp_path / "new" / "library"}"'))
    assert found.faults == ()
