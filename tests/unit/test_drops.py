"""What may be dropped on the window."""

import pytest

from app.start.dropped import spec_of_drop
from engine.faults import FaultCode, FaultError


def test_a_video_a_picture_a_folder_and_an_address_are_sources(tmp_path):
    assert spec_of_drop(["/films/Colon.MP4"]).kind == "file"
    assert spec_of_drop(["/films/still.png"]).kind == "images"
    assert spec_of_drop([str(tmp_path)]).kind == "images"
    assert spec_of_drop([], "rtsp://host/stream").kind == "stream"


@pytest.mark.parametrize(
    ("paths", "text"), [(["a.docx"], ""), (["a.mp4", "b.mp4"], ""), ([], "some words"), ([], "")]
)
def test_anything_else_says_what_can_be_opened(paths, text):
    with pytest.raises(FaultError) as caught:
        spec_of_drop(paths, text)

    assert caught.value.code is FaultCode.ARGUMENT
    assert "a video (MP4" in str(caught.value)
    assert not caught.value.fatal, "what plays goes on"
