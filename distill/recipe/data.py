"""Which images a training has, and what is done to them before the student sees them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from distill.recipe.key import NotNegative, Part, Positive, Share, key


class DataPart(Part):
    """What is trained on, and what is held back to judge by."""

    folds: int = key(
        5,
        "Folds",
        "Into how many parts the groups of images are dealt; more folds leave more for training and less to "
        "judge by.",
        ge=2,
    )
    fold: int = key(
        0,
        "Validation fold",
        "The part that is held back to judge by; other folds show whether a result depends on the choice.",
        ge=0,
    )
    split_seed: int = key(
        0,
        "Seed of the split",
        "Deals the groups another way; models are only comparable when they were trained on the same split.",
        ge=0,
    )
    validation_groups: tuple[str, ...] = key(
        (),
        "Groups only judged by",
        "Patients or sequences that are kept out of training whatever the fold, as those of clips that are "
        "shown as demonstrations.",
    )
    left_out_folds: tuple[Annotated[int, Field(ge=0)], ...] = key(
        (),
        "Folds left out",
        "Further folds kept out of training and not judged by, because they are another model's share.",
    )
    train_sets: tuple[str, ...] = key(
        (),
        "Data sets trained on",
        "Only these sets are learned from, all where none is named; every set is judged by all the same.",
        basic=True,
    )
    split: Literal["grouped", "listed"] = key(
        "grouped",
        "Kind of split",
        "grouped keeps what may show the same polyp together; listed takes the published lists as they are, "
        "for figures to set beside a paper's.",
    )
    negatives_share: Share | None = key(
        None,
        "Share of polyp-free images",
        "So much of an epoch is images without a polyp, by drawing them more or less often: more of them "
        "mean fewer false alarms and more missed polyps; empty takes them as they come.",
    )
    hard_negatives_share: Share = key(
        0.0,
        "Share of hard negatives",
        "So many of the places of polyp-free images go to those that the model to go on from still marks; "
        "needs the two keys negatives_share and student.start.",
    )
    unlabelled_ratio: NotNegative = key(
        0.0,
        "Unlabelled images",
        "So many images that nobody labelled come with every labelled one of a batch; what a teacher says of "
        "them is all that they teach, so a teacher needs soft_weight.",
        unit="to a labelled one",
    )

    @model_validator(mode="after")
    def _folds_left(self) -> DataPart:
        if self.left_out_folds and self.split != "grouped":
            raise ValueError("left_out_folds needs split 'grouped': lists have no folds")
        if self.fold in self.left_out_folds:
            raise ValueError(f"fold {self.fold} is validated on, so it need not stand in left_out_folds")
        return self


def _chance(default: float, title: str, why: str) -> Share:
    """A probability by which a view is changed."""
    chance: Share = key(default, title, why, unit="probability")
    return chance


class AugmentPart(Part):
    """Random views. The defaults are those of `light`.

    Geometry moves picture, mask and cached features alike; light touches the student's picture only.
    """

    place: Literal["cpu", "gpu"] = key(
        "cpu",
        "Where views are made",
        "gpu keeps the frames on it and makes the views there, with field, geometry, large crops, colour, "
        "exposure, blur and noise only: for machines whose processor cannot feed the GPU.",
    )
    views: Literal["online", "four_flips"] = key(
        "online",
        "Kind of views",
        "online draws a new view each time; four_flips leaves nothing to chance and shows each image as it "
        "is, mirrored, upside down and both in each epoch, as the published notebook.",
    )
    flips: bool = key(
        True, "Flips", "Half of the views are mirrored in each direction: an endoscope knows no upright."
    )
    quarter_turn: Share = _chance(
        0.5, "Quarter turn", "Turns the picture by 90 degrees: with the flips all eight ways to hold it."
    )
    affine: Share = _chance(
        0.67, "Turn, zoom, stretch, shift", "How many views are moved at all; the next keys say how far."
    )
    zoom: tuple[Positive, Positive] = key(
        (0.6, 1.6),
        "Zoom",
        "From the smallest to the largest factor: a polyp is met from near and from afar.",
        unit="times",
    )
    turn_deg: float = key(
        35.0, "Turn", "The largest turn to either side, between the quarter turns.", unit="°", ge=0, le=180
    )
    stretch: float = key(
        0.18,
        "Stretch",
        "How much wider than high a view may become, as by the lens or a wrong aspect ratio.",
        unit="of the side",
        ge=0,
        le=1,
    )
    shift: Share = key(
        0.15,
        "Shift",
        "How far the picture is moved at most: polyps lie at the border, too.",
        unit="of the side",
    )
    field: Share = _chance(
        0.0,
        "Endoscope's picture alone",
        "Cuts away the panels and borders around it: a network must not know a polyp by the panels; the "
        "rest of the views shows whole frames.",
    )
    polyp_free_crop: Share = _chance(
        0.0, "Polyp-free crop", "Of an image with polyps a part that shows none: where negatives are few."
    )
    paste: Share = _chance(
        0.0, "Pasted polyp", "Puts another image's polyp onto a polyp-free view: where polyps are few."
    )
    large_crop: Share = _chance(
        0.0,
        "Crop into a large polyp",
        "Of an image with polyps a part that they cover by half or more: what fills the view is missed most.",
    )
    small_paste: Share = _chance(
        0.0,
        "Pasted very small polyp",
        "Shrinks another image's polyp to under 1 % of the view and lays it on mucosa: hardly any image has "
        "one so small.",
    )
    fourier: Share = _chance(
        0.0,
        "Another set's light",
        "Takes the low frequencies of an image of another set, so that colour and light of one hospital "
        "are not learned.",
    )
    hue: Share = _chance(
        0.35, "Hue and saturation", "Shifts them a little, as other processors and light modes do."
    )
    colour: Share = _chance(
        0.8,
        "Brightness and white balance",
        "Changes brightness, contrast, gamma and white balance, as other lamps and white balances do.",
    )
    blur: Share = _chance(0.10, "Blur", "Blurs as a lens out of focus; excludes motion and a soft source.")
    motion: Share = _chance(0.08, "Motion blur", "Smears in one direction, as a moving endoscope does.")
    motion_px: tuple[Annotated[int, Field(ge=2)], Annotated[int, Field(ge=3)]] = key(
        (3, 10),
        "Length of motion blur",
        "From the shortest to below the longest streak, at the size of the network's input.",
        unit="px",
    )
    soft: Share = _chance(
        0.10, "Soft source", "Shrinks and enlarges again, as a source of fewer lines that was scaled up."
    )
    noise: Share = _chance(0.15, "Noise", "Adds the grain of a sensor in poor light.")
    exposure: Share = _chance(0.0, "Over-exposure", "Brightens until folds near the lamp burn out.")
    glare: Share = _chance(0.0, "Glare", "Lays a white veil over a part of the picture.")
    highlights: Share = _chance(0.0, "Highlights", "Adds the small sharp reflections of a wet wall.")
    cutout: Share = _chance(
        0.0, "Grey square", "Hides a part of the picture and not of the mask: a half-hidden polyp is one."
    )
    panel: Share = _chance(
        0.12, "Recorder's panel", "Lays a black border, sometimes with text, over picture and mask."
    )
    jpeg: Share = _chance(0.25, "JPEG", "Compresses the picture, as recorders and archives do.")

    @model_validator(mode="after")
    def _ranges_and_sums(self) -> AugmentPart:
        for name in ("zoom", "motion_px"):
            low, high = getattr(self, name)
            if low >= high and not (name == "zoom" and low == high):
                raise ValueError(f"{name} must go from small to large")
        if self.blur + self.motion + self.soft > 1:
            raise ValueError("blur, motion and soft exclude each other: together at most 1")
        if self.small_paste and self.place == "gpu":
            raise ValueError("small_paste is made on the CPU: set place to cpu, or small_paste to 0")
        return self
