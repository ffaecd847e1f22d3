"""DICOM: a VL Endoscopic Image of each key frame, and one Segmentation of it, a segment an object.

Key frames, since highdicom takes no video for what a segmentation is of. No name, date or number of the
recording is in it: all identifiers are made at random, patient and study are called by the export's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import av
import highdicom as hd
import numpy as np
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from highdicom.sr import CodedConcept
from highdicom.uid import UID
from pydicom import Dataset, FileMetaDataset, dcmwrite
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian, VLEndoscopicImageStorage

from engine.review.acts import VOUCHED, FrameState
from engine.review.analysis import spec_of
from engine.review.exports.export import SHEET, Export
from engine.review.exports.pictures import ContactSheet, bgr, pictures, pixel_aspect
from engine.review.exports.snapshot import key_frames
from engine.review.review import FrameMasks, Review
from engine.types import U8

MAKER = "polyplive"
ABNORMAL = CodedConcept("49755003", "SCT", "Morphologically Abnormal Structure")
POLYP = CodedConcept("68496003", "SCT", "Polyp of colon")
METHODS = {
    "h264": "ISO_14496_10",
    "hevc": "ISO_23008_2",
    "mpeg2video": "ISO_13818_2",
    "mjpeg": "ISO_10918_1",
}


def write(job: Export) -> None:
    """Raises FaultError, OSError."""
    review, ranks = job.review, key_frames(job)
    sheet = ContactSheet(len(ranks))
    known = _lost(review) | _aspect(review)
    study, images, outlines = UID(), UID(), UID()
    tracking: dict[int, UID] = {}
    for number, (rank, picture) in enumerate(
        zip(ranks, pictures(spec_of(review.car), ranks), strict=True), 1
    ):
        pixels = job.cut.of(bgr(picture))
        image = _image(job, pixels, study, images, number, known)
        dcmwrite(job.folder / f"image_{rank:06d}.dcm", image, enforce_file_format=True)
        sheet.add(pixels)
        frame = job.selection.of(review, rank)
        masks = {one: cut for one, mask in frame.masks.items() if (cut := job.cut.mask(mask)).any()}
        if masks:
            segments = _segmentation(job, image, frame, masks, tracking, outlines, number)
            segments.PatientOrientation = ""
            segments.save_as(job.folder / f"segmentation_{rank:06d}.dcm")
            job.counts["segmentations"] = job.counts.get("segmentations", 0) + 1
        job.tick(number, len(ranks))
    sheet.write(job.folder / SHEET)
    job.counts["frames"] = len(ranks)


def _image(
    job: Export, pixels: U8, study: UID, series: UID, number: int, known: Mapping[str, object]
) -> Dataset:
    """VL Endoscopic Image of BGR pixels uint8 [h, w, 3] (PS3.3 A.32.1)."""
    one = Dataset()
    one.file_meta = FileMetaDataset()
    one.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one.SOPClassUID, one.SOPInstanceUID = VLEndoscopicImageStorage, UID()
    one.PatientName, one.PatientID, one.StudyID = f"{job.code}^", job.code, job.code
    for empty in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber"):
        setattr(one, empty, "")
    one.ReferringPhysicianName = ""
    one.PatientIdentityRemoved = "YES"
    one.DeidentificationMethod = f"{MAKER}: pixels and random identifiers alone"
    one.StudyInstanceUID, one.SeriesInstanceUID = study, series
    one.Modality, one.SeriesNumber, one.InstanceNumber = "ES", 1, number
    one.Manufacturer = MAKER
    one.ImageType = ["DERIVED", "PRIMARY"]
    one.DerivationDescription = "A frame of a video" + ("" if job.cut.field is None else ", cropped")
    one.BurnedInAnnotation = "YES" if job.cut.field is None else "NO"
    one.AcquisitionContextSequence = []
    one.Laterality = one.PatientOrientation = ""
    for name, value in known.items():
        setattr(one, name, value)
    one.SamplesPerPixel, one.PhotometricInterpretation, one.PlanarConfiguration = 3, "RGB", 0
    one.Rows, one.Columns = pixels.shape[:2]
    one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelRepresentation = 8, 8, 7, 0
    data = np.ascontiguousarray(pixels[..., ::-1]).tobytes()
    one.PixelData = data + bytes(len(data) % 2)
    one["PixelData"].VR = "OB"
    return one


def _segmentation(
    job: Export,
    image: Dataset,
    frame: FrameMasks,
    masks: Mapping[int, U8],
    tracking: dict[int, UID],
    series: UID,
    number: int,
) -> Segmentation:
    analysis = job.review.analysis
    how = _how(frame)
    model = hd.AlgorithmIdentificationSequence(
        analysis.model_id or "model", codes.DCM.ArtificialIntelligence, analysis.weights_sha256[:16]
    )
    described = [
        SegmentDescription(
            segment_number=place,
            segment_label=f"Polyp {place}",
            segmented_property_category=ABNORMAL,
            segmented_property_type=POLYP,
            algorithm_type=how,
            algorithm_identification=None if how is SegmentAlgorithmTypeValues.MANUAL else model,
            tracking_uid=tracking.setdefault(object_, UID()),
            tracking_id=f"object {object_}",
        )
        for place, object_ in enumerate(masks, 1)
    ]
    return Segmentation(
        source_images=[image],
        pixel_array=np.stack(list(masks.values()), axis=-1)[None],
        segmentation_type=SegmentationTypeValues.BINARY,
        segment_descriptions=described,
        series_instance_uid=series,
        series_number=2,
        sop_instance_uid=UID(),
        instance_number=number,
        manufacturer=MAKER,
        manufacturer_model_name=MAKER,
        software_versions="1",
        device_serial_number=analysis.weights_sha256[:16] or "0",
        content_label="POLYPS",
        omit_empty_frames=False,
    )


def _how(frame: FrameMasks) -> SegmentAlgorithmTypeValues:
    if frame.state is FrameState.MACHINE:
        return SegmentAlgorithmTypeValues.AUTOMATIC
    kind = SegmentAlgorithmTypeValues
    return kind.MANUAL if frame.state in VOUCHED else kind.SEMIAUTOMATIC


def _aspect(review: Review) -> dict[str, object]:
    """Height and width of a pixel, where it is not square (PS3.3 C.7.6.3.1.7)."""
    aspect = Fraction(pixel_aspect(spec_of(review.car))).limit_denominator(4096)
    return {} if aspect == 1 else {"PixelAspectRatio": [aspect.denominator, aspect.numerator]}


def _lost(review: Review) -> dict[str, object]:
    """How much a video was compressed: its frames cannot be better than that. Unknown of stills."""
    paths = [path for path in review.car.recording.paths if path.is_file()]
    frames = review.car.recording.frames or len(review.table)
    if not paths:
        return {"LossyImageCompression": ""}
    with av.open(str(paths[0])) as video:
        method = METHODS.get(video.streams.video[0].codec_context.name)
    size, size_bytes = review.size, sum(path.stat().st_size for path in paths)
    ratio = size.width_px * size.height_px * 3 * frames / max(size_bytes, 1)
    said: dict[str, object] = {"LossyImageCompression": "01", "LossyImageCompressionRatio": f"{ratio:.1f}"}
    return said | ({"LossyImageCompressionMethod": method} if method else {})
