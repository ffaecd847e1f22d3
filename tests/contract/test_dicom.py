"""DICOM recordings: all frames at their rate, or a refusal that says what is missing."""

from __future__ import annotations

import sys

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41, ExplicitVRLittleEndian, JPEGBaseline8Bit, VideoEndoscopicImageStorage

from engine.analysis.cli import main
from engine.analysis.many.recordings import find_recordings
from engine.faults import FaultCode, FaultError
from engine.sources import open_source, parse_source
from tests.fixtures.clips import HEIGHT_PX, WIDTH_PX, made, number_in, numbered_picture

FRAMES = 12


def dicom(path, syntax, pixel_data, **tags):
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = VideoEndoscopicImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    stored = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    stored.SOPClassUID, stored.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    stored.Modality, stored.Rows, stored.Columns = "ES", HEIGHT_PX, WIDTH_PX
    stored.NumberOfFrames, stored.SamplesPerPixel, stored.PlanarConfiguration = FRAMES, 3, 0
    stored.PhotometricInterpretation = "RGB"
    stored.BitsAllocated = stored.BitsStored = 8
    stored.HighBit, stored.PixelRepresentation = 7, 0
    for name, value in tags.items():
        setattr(stored, name, value)
    stored.PixelData = pixel_data
    stored["PixelData"].VR = "OB" if syntax != ExplicitVRLittleEndian else "OW"
    stored.save_as(path, enforce_file_format=True)
    return path


def jpegs():
    return [
        cv2.imencode(".jpg", numbered_picture(number)[..., ::-1])[1].tobytes() for number in range(FRAMES)
    ]


def raw(path):
    pixels = b"".join(numbered_picture(number).tobytes() for number in range(FRAMES))
    return dicom(path, ExplicitVRLittleEndian, pixels, CineRate=30, FrameTime="33.33")


def jpeg(path, frames=None):
    return dicom(
        path,
        JPEGBaseline8Bit,
        encapsulate(frames or jpegs()),
        CineRate=30,
        FrameTime="33.33",
        PhotometricInterpretation="YBR_FULL_422",
    )


def grey_12_bits(path):
    grey = np.stack([cv2.cvtColor(numbered_picture(number), cv2.COLOR_RGB2GRAY) for number in range(FRAMES)])
    pixels = (grey.astype(np.uint16) << 4).tobytes()
    return dicom(
        path,
        ExplicitVRLittleEndian,
        pixels,
        FrameTime="33.3333333",
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=16,
        BitsStored=12,
        HighBit=11,
    )


def read_all(source):
    pictures, faults = [], []
    while True:
        try:
            picture = source.read()
        except FaultError as error:
            faults.append(error)
            continue
        if picture is None:
            return pictures, faults
        pictures.append(picture)


@pytest.mark.parametrize("make", [raw, jpeg, grey_12_bits])
@pytest.mark.parametrize("name", ["a.dcm", "IM0001"])
def test_every_frame_comes_at_the_rate_of_the_file(tmp_path, make, name):
    source = open_source(parse_source(str(make(tmp_path / name))))

    pictures, faults = read_all(source)

    assert faults == []
    assert [(picture.index, number_in(picture.bgra())) for picture in pictures] == [
        (number, number) for number in range(FRAMES)
    ]
    assert [picture.pts_s for picture in pictures] == pytest.approx([n / 30 for n in range(FRAMES)], abs=1e-6)
    assert source.info.rate_hz == pytest.approx(30)
    for index in (7, 2, 11, 0):
        source.seek(index)
        assert number_in(source.read().bgra()) == index
    source.close()


def test_a_damaged_frame_is_a_fault_and_the_others_go_on(tmp_path):
    frames = jpegs()
    frames[5] = frames[5][:20]
    source = open_source(parse_source(str(jpeg(tmp_path / "a.dcm", frames))))

    pictures, (fault,) = read_all(source)

    assert [picture.index for picture in pictures] == [n for n in range(FRAMES) if n != 5]
    assert fault.lost_frames == 1
    assert "Frame 5 of 12" in fault.said
    source.close()


def test_an_encapsulated_video_is_played_as_the_video_that_it_is(tmp_path, tmp_path_factory):
    clip = made("constant.mp4", tmp_path_factory).read_bytes()
    path = dicom(tmp_path / "a.dcm", MPEG4HP41, encapsulate([clip]), NumberOfFrames=120)
    source = open_source(parse_source(str(path)))

    pictures, faults = read_all(source)

    assert faults == []
    assert len(pictures) == 120
    source.seek(33)
    assert number_in(source.read().bgra()) == 33
    assert source.info.title == "a.dcm"
    source.close()


def test_what_is_damaged_is_refused_in_a_sentence(tmp_path):
    whole = raw(tmp_path / "a.dcm").read_bytes()
    (tmp_path / "a.dcm").write_bytes(whole[:140] + bytes(40))

    with pytest.raises(FaultError) as caught:
        open_source(parse_source(str(tmp_path / "a.dcm")))

    assert caught.value.code is FaultCode.SOURCE_UNREADABLE
    assert "DICOM" in str(caught.value)


def test_without_pydicom_it_is_refused_by_name_with_the_line_to_install_it(tmp_path, monkeypatch, capsys):
    raw(tmp_path / "a.dcm")
    monkeypatch.delitem(sys.modules, "engine.sources.dicom", raising=False)
    monkeypatch.setitem(sys.modules, "pydicom", None)

    code = main([str(tmp_path / "a.dcm"), "--out", str(tmp_path / "out")])

    assert code == 2
    said = capsys.readouterr().err
    assert "a.dcm is DICOM" in said
    assert "pip install 'polyplive[dicom]'" in said


def test_a_folder_run_takes_dicom_without_an_ending(tmp_path):
    (tmp_path / "disc").mkdir()
    raw(tmp_path / "disc" / "IM0001")

    (found,) = find_recordings([str(tmp_path / "disc")], tmp_path / "out")

    assert found.place == "IM0001"
