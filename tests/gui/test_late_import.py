"""A module that is slow to import comes when it is wanted, and Qt's types are made in the window's thread."""

from __future__ import annotations

import sys
import threading

from PySide6.QtCore import QObject

from app.widgets.late_import import LateImport


class Lazy:
    """Makes what is asked for, as PySide's modules do."""

    def __init__(self):
        self.made = {}

    def __dir__(self):
        return ["First", "Second"]

    def __getattr__(self, name):
        self.made[name] = threading.current_thread()


def test_types_are_made_in_the_windows_thread_before_the_module_is_imported_in_another(
    qtbot, tmp_path, monkeypatch
):
    (tmp_path / "slow_one.py").write_text("import threading\nimported_in = threading.current_thread()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "slow_one", raising=False)
    parent, lazy = QObject(), Lazy()
    late = LateImport("slow_one", parent, [lazy])
    with qtbot.waitSignal(late.done) as came:
        late.start()
        assert "slow_one" not in sys.modules
    assert lazy.made == dict.fromkeys(("First", "Second"), threading.main_thread())
    assert came.args[0].imported_in is not threading.main_thread()


def test_what_is_no_longer_wanted_does_not_come_and_what_cannot_be_imported_is_told(qtbot, caplog):
    parent = QObject()
    forgotten = LateImport("no_such_module", parent, [])
    forgotten.failed.connect(lambda fault: fault_of_forgotten.append(fault))
    fault_of_forgotten = []
    forgotten.start().forget()
    late = LateImport("engine.no_such_module", parent, [])
    with qtbot.waitSignal(late.failed) as told:
        late.start()
    assert "no_such_module" in told.args[0].sentence
    assert fault_of_forgotten == []
    caplog.clear()
