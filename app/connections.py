"""Which signal of a part another one hears. What the window itself does about one is said in the window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QWidget

from app.actions_and_keys import Owners
from app.player.page import OperatorPage
from app.player.transport_commands import TransportCommands
from app.preferences import Preferences
from app.settings.keys import KeyMap
from app.settings.place import SettingsPlace
from app.start.start_page import StartPage
from app.widgets.action import Action
from app.widgets.pick import ask_for_folder
from engine.faults import Fault
from engine.settings import Settings


def connect_live(
    start: StartPage,
    page: OperatorPage,
    transport: TransportCommands,
    to: Owners,
    actions: Mapping[str, Action],
    window: QWidget,
) -> None:
    """The two pages of the place Live, and whoever answers what people do on them."""
    start.recent.review_asked.connect(to.places.open_for_review)
    to.places.several.connect(to.library.add)
    page.transport.seek_asked.connect(transport.seek)
    page.transport.wheel_turned.connect(
        lambda way: actions["second-on" if way > 0 else "second-back"].trigger()
    )
    page.panel.folder_asked.connect(
        lambda: ask_for_folder(window, "Choose model folder", lambda path: to.ai.use_folder(Path(path)))
    )
    page.panel.latency_asked.connect(to.beside.show_latency)
    page.panel.dismissed.connect(to.notices.dismiss)
    to.missed.changed.connect(page.transport.show_marks)
    to.region.kept.connect(page.show_field)
    to.region.looked_at.connect(page.status.set_region)
    for commands in (to.finding, to.missed, to.region):
        commands.said.connect(to.over.say)


def connect_faults(to: Owners, began: SignalInstance, tell: Callable[[Fault], None]) -> None:
    """What goes wrong is told in one place, and taken back there; `began`: something is opened in Live."""
    for faulted in (
        to.opens.faulted,
        to.ai.faulted,
        to.beside.faulted,
        to.alarm.failed,
        to.review.faulted,
        to.places.faulted,
        to.library.faulted,
    ):
        faulted.connect(tell)
    to.ai.mended.connect(to.notices.clear)
    to.review.began.connect(lambda: to.notices.clear("review"))
    for signal in (to.review.began, to.review.kept):
        signal.connect(lambda: to.notices.clear("review-disk"))
    began.connect(lambda: to.notices.clear("drop"))


def connect_names(to: Owners) -> None:
    """Names are shown or hidden everywhere at once."""
    to.opens.chosen.connect(
        lambda changes: to.library.set_names(changes["screen.names"]) if "screen.names" in changes else None
    )


def connect_kept(to: Owners, preferences: Preferences, tell: Callable[[Fault], None]) -> None:
    """What a person chooses is there at the next start."""
    for chosen in (to.ai.chosen, to.opens.chosen, to.view.chosen, to.alarm.chosen, to.review.chosen):
        chosen.connect(preferences.keep)
    preferences.failed.connect(tell)
    preferences.kept.connect(to.notices.clear)


def connect_settings(
    place: SettingsPlace,
    keys: KeyMap,
    preferences: Preferences,
    to: Owners,
    decode: Callable[[str], None],
    tell: Callable[[Fault], None],
) -> None:
    """What is changed on the settings page is kept at once, and acts where it can."""
    act: Mapping[str, Callable[[Settings], object]] = {
        "ai.preset": lambda now: to.ai.use_point(now.ai.preset, now.ai.threshold),
        "ai.threshold": lambda now: to.ai.use_point(now.ai.preset, now.ai.threshold),
        "ai.model": lambda now: to.ai.use_network(now.ai.model, now.ai.runtime, now.ai.precision),
        "ai.runtime": lambda now: to.ai.use_network(now.ai.model, now.ai.runtime, now.ai.precision),
        "ai.precision": lambda now: to.ai.use_network(now.ai.model, now.ai.runtime, now.ai.precision),
        "overlay.style": lambda now: to.ai.set_style(now.overlay.style),
        "screen.side_panel": lambda now: to.view.keep_panel(now.screen.side_panel),
        "screen.names": lambda now: show_names(now.screen.names),
        "alarm.sound": lambda now: to.alarm.set_on(now.alarm.sound),
        "video.decode": lambda now: decode(now.video.decode),
    }

    def show_names(shown: bool) -> None:
        to.opens.show_names(shown)
        to.library.set_names(shown)

    def change(changes: Mapping[str, object]) -> None:
        if "ai.preset" in changes:  # begins at its own threshold, as everywhere
            changes = {**changes, "ai.threshold": None}
        preferences.keep(changes, at_once=True)
        for key in changes:
            if key in act:
                act[key](preferences.settings)

    place.changed.connect(change)
    place.faulted.connect(tell)
    keys.chosen.connect(lambda changes: preferences.keep(changes, at_once=True))
