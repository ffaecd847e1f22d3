"""What a person chooses in the window is there at the next start."""

import pytest

from app import cli
from app.application import Launch
from engine.model_in_use import log_path
from engine.settings import keep, read_settings, settings_path
from tests.fixtures.fakes import FakeSource


@pytest.fixture
def launch_of(monkeypatch):
    """The Launch that a command line makes, instead of a window."""

    def launch_of(*arguments) -> Launch:
        made = []
        monkeypatch.setattr("app.application.run", lambda launch: made.append(launch) or 0)
        monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
        assert cli.main(arguments) == 0
        return made[0]

    return launch_of


def test_what_is_chosen_in_the_window_is_kept(playing, qtbot, tmp_path):
    path = tmp_path / "settings.toml"
    window = playing(FakeSource(frames=10_000, rate_hz=50), keeps=path)
    window.ai.style_box()
    window.view.toggle_panel()
    window.ai.threshold_up()
    qtbot.waitUntil(path.is_file)
    window.ai.style_fill()
    window.close()
    found = read_settings(path)

    assert found.faults == ()
    assert found.settings.overlay.style == "fill"
    assert found.settings.screen.side_panel is False
    assert found.settings.ai.threshold == pytest.approx(0.42)


def test_a_chosen_preset_and_network_are_kept(make_window, qtbot, tmp_path):
    path = tmp_path / "settings.toml"
    keep(path, {"ai.threshold": 0.3})
    window = make_window(FakeSource(), keeps=path)
    panel = window.operator.panel
    panel.point.preset.activated.emit(panel.point.preset.findText("Standard"))
    panel.precision.setCurrentIndex(panel.precision.findData("f32"))
    panel.precision.activated.emit(panel.precision.currentIndex())
    window.close()
    ai = read_settings(path).settings.ai

    assert (ai.preset, ai.threshold, ai.precision) == ("standard", None, "f32")
    assert ai.model == str(panel.model.currentData())


def test_a_window_begins_as_it_was_left(playing, qtbot):
    source = FakeSource(frames=10_000, rate_hz=50)
    window = playing(source, overlay="corners", side_panel=False, threshold=0.3)

    assert window.operator.panel.overlay.selected == "corners"
    assert not window.operator.panel.isVisible()
    qtbot.waitUntil(lambda: window.operator.panel.point.threshold.value() == 30)


def test_the_command_line_gets_what_was_kept_and_goes_over_it(launch_of, monkeypatch, tmp_path):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path))
    keep(settings_path(), {"overlay.style": "box", "ai.precision": "f32", "ai.preset": "quiet"})
    launch = launch_of("--overlay", "fill", "--set", "screen.side_panel=false")

    assert (launch.overlay, launch.precision, launch.preset) == ("fill", "f32", "quiet")
    assert launch.side_panel is False
    assert launch.keeps == settings_path()
    assert launch.over == {"screen.side_panel": "--set screen.side_panel"}  # the settings page says so

    log_path().parent.mkdir(parents=True, exist_ok=True)
    log_path().touch()
    assert "main.py use" in launch_of().over["ai.model"], "the log of promotions decides of the model"


def test_a_wrong_setting_is_a_banner_that_names_file_and_key(make_window, launch_of, monkeypatch, tmp_path):
    monkeypatch.setenv("POLYPLIVE_HOME", str(tmp_path))
    settings_path().parent.mkdir()
    settings_path().write_text('[overlay]\nstyle = "hearts"\n')
    launch = launch_of()
    window = make_window(FakeSource(), faults=launch.faults, overlay=launch.overlay)

    assert "overlay.style cannot be 'hearts'" in window.start.notice.text
    assert str(settings_path()) in window.start.notice.text


def test_a_wrong_setting_on_the_command_line_is_exit_code_2(capsys):
    assert cli.main(["--set", "ai.modle=x"]) == 2
    assert "Did you mean ai.model?" in capsys.readouterr().err


def test_a_damaged_list_of_recent_items_is_told_and_the_window_starts(make_window, recent, tmp_path):
    from app.start.recent import RecentItems

    path = tmp_path / "damaged.json"
    path.write_text('{"schema": 1, "items": [{"kind": "file", "address": "a", "title": 7}]}')
    recent.complaint = RecentItems(path).complaint
    window = make_window(FakeSource())

    assert "The list of recent items cannot be read" in window.start.notice.text
