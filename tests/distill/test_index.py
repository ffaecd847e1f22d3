"""The index of a data folder: what every line must say and what it may say."""

import pytest

from distill.data.index import Record, load_index
from engine.faults import FaultCode, FaultError
from tests.distill.trees import write_lines

LINE = {"image": "images/a.jpg", "mask": None, "set": "s", "group": "g"}


def test_a_line_of_four_keys_is_enough(tmp_path):
    (record,) = load_index(write_lines(tmp_path, [LINE])).records

    assert record == Record(image="images/a.jpg", mask=None, set="s", group="g")
    assert (record.task, record.split, record.sha256, record.width_px) == ("polyp", None, None, None)


def test_what_else_a_line_says_is_in_the_record_and_unknown_keys_are_left_alone(tmp_path):
    more = {"task": "tool", "split": "test", "sha256": "1", "mask_sha256": "2", "width": 3, "height": 4}

    (record,) = load_index(write_lines(tmp_path, [LINE | more | {"tags": ["flat"]}])).records

    assert (record.task, record.split, record.sha256, record.mask_sha256) == ("tool", "test", "1", "2")
    assert (record.width_px, record.height_px) == (3, 4)


@pytest.mark.parametrize(
    "lines", [[], [LINE, {"image": "b.jpg"}], [["not", "an", "object"]]], ids=["empty", "keys", "list"]
)
def test_an_index_that_cannot_be_used_is_a_data_fault(tmp_path, lines):
    with pytest.raises(FaultError) as caught:
        load_index(write_lines(tmp_path, lines))

    assert caught.value.code is FaultCode.DATA_SET


def test_a_broken_line_is_a_data_fault(tmp_path):
    (tmp_path / "index.jsonl").write_text("{\n")

    with pytest.raises(FaultError, match=r"index\.jsonl"):
        load_index(tmp_path)
