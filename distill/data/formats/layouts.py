"""LAYOUTS: how data sets lie on people's disks, a row each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from distill.data.formats.class_masks import nnunet_files, read_nnunet, read_voc, voc_files
from distill.data.formats.classes import with_values
from distill.data.formats.cvat import cvat_files, read_cvat
from distill.data.formats.label_studio import label_studio_files, read_label_studio
from distill.data.formats.outlines import coco_files, labelme_files, read_coco, read_labelme
from distill.data.formats.pairs import BY_STEM, Pairs, paired, placed, read_pairs
from distill.data.formats.samples import Found, Problem, Sample, Source
from distill.data.formats.sequences import CLINICDB, COLONDB, CVC300, ETIS, KVASIR, KVASIR_STEM
from distill.data.formats.yolo import read_yolo, yolo_files
from distill.data.index import INDEX_NAME, index_lines, refuse_label
from distill.data.masks import MaskFile
from engine.faults import FaultCode, FaultError

AUTO = "auto"
# An index says itself what it is; a publisher's layout is more than folders that happen to be called so.
OWN, PUBLISHED, GENERAL = range(3)


class Reader(Protocol):
    def __call__(self, source: Source, negatives: bool, labels: Collection[str]) -> Found: ...


class Claim(Protocol):
    def __call__(self, source: Source) -> frozenset[Path]: ...


def _nothing(source: Source) -> frozenset[Path]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class Layout:
    """`claims`: the files that the layout explains, images with their masks or what describes them.

    `places`: images where the layout has them, with masks or without, so that all masks can be told missing.
    """

    summary: str
    read: Reader
    claims: Claim
    places: Claim = _nothing
    rank: int = PUBLISHED


def layout_of(source: Source) -> str:
    """The name of the one layout that explains the files.

    One that explains a part of what another of its rank does is out (all of Kvasir-SEG is in the common
    benchmark, too), and a publisher's layout stands before a general one that explains no more.
    Raises FaultError DATA_SET that names the candidates when several are left, or all layouts when none fits.
    """
    own = [name for name, row in LAYOUTS.items() if row.rank == OWN and row.claims(source)]
    if own:
        return own[0]
    claims = {name: row.claims(source) for name, row in LAYOUTS.items()}
    if not any(claims.values()):
        claims = {name: row.places(source) for name, row in LAYOUTS.items()}
    fitting = [name for name, files in claims.items() if files]

    def is_behind(name: str, other: str) -> bool:
        mine, others = LAYOUTS[name].rank, LAYOUTS[other].rank
        if others == mine:
            return claims[name] < claims[other]
        return others < mine and claims[name] <= claims[other]

    candidates = [name for name in fitting if not any(is_behind(name, other) for other in fitting)]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise FaultError(
            FaultCode.DATA_SET,
            expected=f"one layout for {source.folder}",
            got=f"{len(candidates)} that fit: {', '.join(candidates)}",
            remedy="name one by --layout, or name the folders of the sets one by one",
        )
    there = sorted({"/".join(path.parts[1:2]) for path in source.files})
    raise FaultError(
        FaultCode.DATA_SET,
        expected=f"{source.folder} to lie as one of: {', '.join(LAYOUTS)}",
        got=f"{', '.join(there[:8])}{', ...' if len(there) > 8 else ''}" if there else "no files",
        remedy="name the folder that holds the images' folder, or put images/ beside masks/",
    )


def _folders(summary: str, *rows: Pairs, rank: int = PUBLISHED) -> Layout:
    def read(source: Source, negatives: bool, labels: Collection[str]) -> Found:
        found = read_pairs(rows, source, negatives)
        return with_values(found, labels) if labels else found

    return Layout(summary, read, partial(paired, rows), partial(placed, rows), rank)


def _read_index(source: Source, negatives: bool, labels: Collection[str]) -> Found:
    """The lines of an index as they are; its groups are final."""
    del negatives, labels
    known = {"image", "mask", "set", "group", "split", "sequence", "frame", "task", "exif"}
    made = {"width", "height", "sha256", "mask_sha256", "label"}
    samples, problems = [], []
    for number, line in enumerate(index_lines(source.folder), start=1):
        try:
            mask = line["mask"]
            refuse_label(line)
            samples.append(
                Sample(
                    image=source.folder / line["image"],
                    mask=None if mask is None else MaskFile(source.folder / mask),
                    set=line["set"],
                    group=line["group"],
                    split=line.get("split"),
                    sequence=line.get("sequence"),
                    frame=line.get("frame"),
                    task=line.get("task"),
                    label=line.get("label"),
                    exif=line.get("exif"),
                    settled=str(source.folder),
                    extra={key: value for key, value in line.items() if key not in known | made},
                )
            )
        except FaultError as fault:
            problems.append(Problem(source.folder / INDEX_NAME, f"line {number}: {fault}"))
        except (KeyError, TypeError, AttributeError) as error:
            what = f"line {number}: {type(error).__name__}: {error}"
            problems.append(Problem(source.folder / INDEX_NAME, what))
    return Found(tuple(samples), tuple(problems))


def _index_file(source: Source) -> frozenset[Path]:
    return frozenset({Path(source.folder.name, INDEX_NAME)} & set(source.files))


STEM = r"(?P<stem>[^/]+)"
PLAIN = r"images?/" + STEM
PLAIN_MASKS = ("{base}masks/{stem}", "{base}mask/{stem}", "{base}masks/{stem}_mask", "{base}mask/{stem}_mask")
POLYPGEN_STEM = r"(?P<stem>(?:(?P<patient>\d+OLCV1|\d+(?=_endocv2021))_)?[^/]+)"
SUN_FRAME = r"Frame/(?P<sequence>(?P<patient>case\d+)?[^/]*)/" + STEM
CLINICDB_TRUTH = ("Ground Truth", "GroundTruth", "Ground_Truth", "Ground-truth")


def _named(name: str) -> Pairs:
    """`images/` and `masks/`, as archives of others repack a set."""
    return Pairs(PLAIN, PLAIN_MASKS, name, usual=False)


def _clinicdb(inside: str, unless: str = "") -> Pairs:
    masks = tuple(f"{{base}}{inside}{name}/{{stem}}" for name in CLINICDB_TRUTH)
    return Pairs(f"{inside}Original/{STEM}", masks, CLINICDB, unless=unless)


LAYOUTS: Mapping[str, Layout] = {
    "index": Layout(
        f"a folder with {INDEX_NAME}, such as prepare writes", _read_index, _index_file, rank=OWN
    ),
    "kvasir-seg": _folders(
        "Kvasir-SEG: images/ and masks/, names of 25 characters",
        Pairs(f"images/(?P<stem>{KVASIR_STEM})", ("{base}masks/{stem}",), KVASIR),
        _named(KVASIR),
    ),
    "cvc-clinicdb": _folders(
        "CVC-ClinicDB: Original/ and Ground Truth/, also below PNG/ and TIF/",
        _clinicdb("PNG/"),
        _clinicdb("TIF/", unless="{base}PNG/Original/{stem}"),
        _clinicdb(""),
        _named(CLINICDB),
    ),
    "cvc-colondb": _folders(
        "CVC-ColonDB: 1.tiff and its mask p1.tiff in one folder",
        Pairs(r"(?P<stem>\d+)", ("{base}p{stem}",), COLONDB),
        _named(COLONDB),
    ),
    "etis": _folders(
        "ETIS-LaribPolypDB: 1.tif and Ground Truth/p1.tif",
        Pairs(
            r"(?P<stem>\d+)",
            tuple(f"{{{at}}}{name}/p{{stem}}" for at in ("base", "parent") for name in CLINICDB_TRUTH),
            ETIS,
        ),
        _named(ETIS),
    ),
    "cvc-300": _folders(
        "CVC-300 of CVC-EndoSceneStill: bbdd/ and gtpolyp/",
        Pairs(f"bbdd/{STEM}", ("{base}gtpolyp/{stem}",)),
        _named(CVC300),
    ),
    "polypgen": _folders(
        "PolypGen: data_C1/images_C1 and masks_C1 to C6, sequenceData/positive and negativeOnly",
        Pairs(
            r"data_C(?P<centre>\d)/images_C\d/" + POLYPGEN_STEM,
            (
                "{base}data_C{centre}/masks_C{centre}/{stem}_mask",
                # One name of C3 ends in "_" and its mask in "_mask".
                "{base}data_C{centre}/masks_C{centre}/{stem}mask",
                "{base}data_C{centre}/masks_C{centre}/{stem}",
            ),
            "polypgen-c{centre}",
        ),
        Pairs(
            rf"sequenceData/positive/(?P<sequence>[^/]+)/images_[^/]+/{STEM}",
            (
                "{base}sequenceData/positive/{sequence}/masks_{sequence}/{stem}_mask",
                "{base}sequenceData/positive/{sequence}/masks_{sequence}/{stem}",
            ),
            "polypgen-seq",
        ),
        Pairs(rf"sequenceData/negativeOnly/(?P<sequence>[^/]+)/(?:images[^/]*/)?{STEM}", (), "polypgen-neg"),
    ),
    "bkai-igh": _folders(
        "BKAI-IGH NeoPolyp: train/ and train_gt/, a class a colour",
        Pairs(
            rf"train/(?:train/)?{STEM}",
            ("{base}train_gt/{stem}", "{base}train_gt/train_gt/{stem}"),
            "bkai-igh",
            colours=True,
        ),
        Pairs(PLAIN, PLAIN_MASKS, "bkai-igh", colours=True, usual=False),
    ),
    "sun-seg": _folders(
        "SUN-SEG frames: TrainDataset and TestEasy/TestHardDataset with Frame/ and GT/",
        Pairs(
            rf"(?P<part>TrainDataset)/{SUN_FRAME}", ("{base}{part}/GT/{sequence}/{stem}",), "sun-seg", "train"
        ),
        Pairs(
            rf"(?P<part>Test(?:Easy|Hard)Dataset/(?:(?:Unseen|Seen)/)?){SUN_FRAME}",
            ("{base}{part}GT/{sequence}/{stem}",),
            "sun-seg",
            "test",
        ),
    ),
    "pranet": _folders(
        "the common benchmark: TrainDataset or TrainDB, and TestDataset/<set> or TestDB/<set>",
        Pairs(
            rf"(?P<part>Train(?:Dataset|DB)/(?:(?P<folder>[^/]+)/)?)images?/{STEM}",
            tuple(f"{{base}}{{part}}{name}/{{stem}}" for name in ("masks", "mask")),
            BY_STEM,
            "train",
        ),
        Pairs(
            rf"(?P<part>Test(?:Dataset|DB)/(?P<folder>[^/]+)/)images?/{STEM}",
            tuple(f"{{base}}{{part}}{name}/{{stem}}" for name in ("masks", "mask")),
            "{folder}",
            "test",
        ),
    ),
    "nnunet": Layout(
        "nnU-Net with 2D pictures: imagesTr/ and labelsTr/, dataset.json", read_nnunet, nnunet_files
    ),
    "voc": Layout(
        "VOC, as CVAT exports masks: JPEGImages/ and SegmentationClass/, labelmap.txt", read_voc, voc_files
    ),
    "cvat": Layout("CVAT: its own XML, for images or for video", read_cvat, cvat_files, rank=GENERAL),
    "label-studio": Layout(
        "Label Studio: JSON with brush strokes or polygons",
        read_label_studio,
        label_studio_files,
        rank=GENERAL,
    ),
    "yolo": Layout(
        "YOLO segmentation: images/ and labels/ with polygons, data.yaml",
        read_yolo,
        yolo_files,
        rank=GENERAL,
    ),
    "labelme": Layout("LabelMe: a JSON file an image", read_labelme, labelme_files, rank=GENERAL),
    "coco": Layout("COCO: one JSON file with polygons or run lengths", read_coco, coco_files, rank=GENERAL),
    "folders": _folders("images/ and masks/ with the same names", Pairs(PLAIN, PLAIN_MASKS), rank=GENERAL),
}
