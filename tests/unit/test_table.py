"""Tables: a name leads to code that is imported at first use."""

import pytest

from engine.faults import FaultCode, FaultError
from engine.table import Entry, choose, load, load_named

TABLE = {
    "path": Entry("pathlib:Path"),
    "absent": Entry("a_package_that_is_not_there.part:attr", extra="torch"),
}


def test_a_name_leads_to_the_attribute_of_its_module():
    from pathlib import Path

    assert load_named(TABLE, "path", "thing") is Path


def test_an_unknown_name_is_told_with_the_nearest_one():
    with pytest.raises(FaultError) as caught:
        choose(TABLE, "pathe", "thing")

    assert caught.value.code is FaultCode.ARGUMENT
    assert caught.value.remedy == "choose path"


def test_a_missing_package_names_the_pip_line_of_its_extra():
    with pytest.raises(FaultError) as caught:
        load(TABLE["absent"])

    assert caught.value.code is FaultCode.EXTRA_MISSING
    assert "pip install 'polyplive[torch]'" in caught.value.remedy


def test_a_missing_module_of_our_own_is_a_bug_and_not_a_missing_extra():
    with pytest.raises(ModuleNotFoundError):
        load(Entry("engine.no_such_module:attr", extra="torch"))


def test_a_package_whose_libraries_are_missing_removes_only_its_entry(tmp_path, monkeypatch):
    (tmp_path / "broken_part.py").write_text(
        "raise OSError('libnvinfer.so.11: cannot open shared object file')"
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(FaultError) as caught:
        load(Entry("broken_part:open", extra="tensorrt"))

    assert caught.value.code is FaultCode.RUNTIME_MISSING
    assert "libnvinfer.so.11" in caught.value.got
