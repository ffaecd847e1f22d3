"""What teachers said of a frame reaches the batch where, and only where, the view shows it."""

import pytest
import torch

from distill.data.dataset import Batch
from distill.recipe import DistilPart, TeacherPart
from distill.teaching.targets import Teaching, teacher_names

HALF_A_VIEW_RIGHT = torch.tensor([[1.0, 0, 0.5], [0, 1, 0], [0, 0, 1]])


class Says:
    """A teacher that sees a polyp everywhere, and the number of the image as its feature."""

    channels, grid = 1, (4, 4)

    def features(self, positions):
        return torch.tensor(positions).float().view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()

    def masks(self, positions):
        return torch.ones(len(positions), 1, 8, 8)

    def disagreement(self, positions):
        return None


def batch_of(positions, matrix, hidden=()):
    count = len(positions)
    zeros = torch.zeros(count, 1, 16, 16)
    return Batch(
        zeros.expand(-1, 3, -1, -1), zeros, matrix.repeat(count, 1, 1), (hidden,) * count, tuple(positions)
    )


def taught_by(part, *, source=None, viewer=None, labelled=True, **distil):
    distil = DistilPart(teachers=(part,), **distil)
    viewers = {} if viewer is None else {part.name: viewer}
    sources = {} if viewer else {part.name: source or Says()}
    return Teaching(sources, distil, viewers, labelled)


def teaching(share=0.5):
    return taught_by(TeacherPart(name="t", mask_share=share))


def test_features_follow_the_view_and_do_not_count_outside_of_the_frame():
    target = teaching().targets(batch_of([3], HALF_A_VIEW_RIGHT))["t"]

    assert target.features[0, 0, :, 2:].eq(3).all()
    assert target.valid[0, 0].tolist() == [[0, 0, 1, 1]] * 4


def test_a_soft_mask_is_blended_in_only_where_the_teacher_saw_the_view():
    mask = teaching().softened(batch_of([0], HALF_A_VIEW_RIGHT, ((0.5, 0.0, 1.0, 0.5),)))[0, 0]

    assert mask[:, :8].eq(0).all()  # beyond the frame
    assert mask[:8].eq(0).all()  # hidden
    torch.testing.assert_close(mask[8:, 8:], torch.full((8, 8), 0.5))


def test_without_a_share_the_masks_stay_as_they_are():
    batch = batch_of([0], torch.eye(3))

    assert torch.equal(teaching(share=0.0).softened(batch), batch.mask)


def test_a_teacher_of_soft_masks_alone_has_no_target():
    masks_alone = taught_by(TeacherPart(name="t", mask_share=0.5, features=False))
    batch = batch_of([3], torch.eye(3))

    assert masks_alone.targets(batch) == {}
    assert masks_alone.softened(batch).eq(0.5).all()


def test_a_teacher_that_teaches_nothing_is_refused():
    with pytest.raises(ValueError, match="t teaches nothing"):
        TeacherPart(name="t", features=False)


class Brightness:
    """A teacher of views that calls polyp what is bright."""

    def masks_of_view(self, image):
        return image.mean(1, keepdim=True), None


def test_a_teacher_that_sees_views_is_asked_of_what_the_student_sees():
    part = TeacherPart(name="task:v", mask_share=0.5, features=False, sees_view=True)
    seeing = taught_by(part, viewer=Brightness())
    batch = batch_of([0, 5], HALF_A_VIEW_RIGHT)._replace(image=torch.rand(2, 3, 16, 16))

    assert seeing.targets(batch) == {}
    torch.testing.assert_close(seeing.softened(batch), 0.5 * batch.image.mean(1, keepdim=True))


@pytest.mark.parametrize("sees_view", [False, True])
def test_a_view_without_a_polyp_keeps_its_empty_mask_where_the_recipe_says_so(sees_view):
    name = "task:v"
    part = TeacherPart(name=name, mask_share=0.5, features=False, sees_view=sees_view, softens_empty=False)
    batch = batch_of([0, 1], torch.eye(3))._replace(image=torch.ones(2, 3, 16, 16))
    batch.mask[1, 0, 3, 3] = 1

    softened = taught_by(part, viewer=Brightness() if sees_view else None).softened(batch)

    assert softened[0].eq(0).all()
    assert softened[1].min() == 0.5
    assert softened[1, 0, 3, 3] == 1


def test_a_teacher_that_sees_views_gives_soft_masks_alone():
    with pytest.raises(ValueError, match="features must be false"):
        TeacherPart(name="task:v", soft_weight=0.5, sees_view=True)


def test_two_teachers_of_one_name_are_told_apart():
    same = TeacherPart(name="task:a")

    assert teacher_names([same, TeacherPart(name="dinov2_base"), same]) == (
        "task:a",
        "dinov2_base",
        "task:a#2",
    )


# Soft masks with a term of their own


def soft_of(batch, part=None, **more):
    part = part or TeacherPart(name="t", soft_weight=1.0)
    (target,) = taught_by(part, **more).soft_targets(batch).values()
    return target


def test_a_soft_target_counts_only_where_the_teacher_saw_the_view():
    batch = batch_of([0], HALF_A_VIEW_RIGHT, ((0.5, 0.0, 1.0, 0.5),))

    mask, weight = soft_of(batch)

    assert mask[0, 0, 8:, 8:].eq(1).all()
    assert weight[0, 0, 8:, 8:].eq(1).all()
    assert weight[0, 0, :, :8].eq(0).all()  # beyond the frame
    assert weight[0, 0, :8].eq(0).all()  # hidden
    assert torch.equal(taught_by(TeacherPart(name="t", soft_weight=1.0)).softened(batch), batch.mask)


def test_a_teacher_without_soft_weight_has_no_soft_target():
    assert teaching().soft_targets(batch_of([0], torch.eye(3))) == {}


def test_what_a_teacher_says_of_views_counts_everywhere():
    part = TeacherPart(name="task:v", soft_weight=1.0, features=False, sees_view=True)
    batch = batch_of([0, 15], HALF_A_VIEW_RIGHT)._replace(image=torch.rand(2, 3, 16, 16))

    mask, weight = soft_of(batch, part, viewer=Brightness())

    torch.testing.assert_close(mask, batch.image.mean(1, keepdim=True))
    assert weight.eq(1).all()


@pytest.mark.parametrize("sees_view", [False, True])
def test_where_the_recipe_says_so_a_view_without_a_polyp_is_taught_as_empty(sees_view):
    part = TeacherPart(
        name="task:v", soft_weight=1.0, features=False, sees_view=sees_view, softens_empty=False
    )
    batch = batch_of([0, 1], HALF_A_VIEW_RIGHT)._replace(image=torch.ones(2, 3, 16, 16))
    batch.mask[1, 0, 3, 3] = 1

    mask, weight = soft_of(batch, part, viewer=Brightness() if sees_view else None)

    assert mask[0].eq(0).all()
    assert weight[0].eq(1).all()  # also beyond what the teacher saw: the drawn mask is known there
    assert mask[1, 0, :, 8:].eq(1).all()


class Differ(Says):
    """Members that agree on the first image, and on no other; where nothing is marked they are sure."""

    def masks(self, positions):
        marked = torch.zeros(len(positions), 1, 8, 8)
        marked[:, :, 2:6, 2:6] = 0.8
        return marked

    def disagreement(self, positions):
        far = torch.tensor([0.1 if position == 0 else 0.7 for position in positions])
        return far.view(-1, 1, 1, 1) * (self.masks(positions) > 0)


MEMBERS = TeacherPart(name="t", soft_weight=1.0, members=("a", "b"))
BEYOND_THE_POLYP = torch.tensor([[8.0, 0, 0], [0, 8, 0], [0, 0, 1]])  # the view shows an empty corner


def test_an_unlabelled_image_teaches_only_where_the_members_agree():
    batch = batch_of([0, 1], torch.eye(3))

    mask, weight = soft_of(batch, MEMBERS, source=Differ(), labelled=False)

    assert weight[1].eq(0).all()
    assert weight[0, 0, 0, 0] == 1
    assert weight[0, 0, 8, 8] == pytest.approx(0.9)
    assert mask[0, 0, 8, 8] == pytest.approx(0.8)


def test_a_view_of_an_unlabelled_image_that_all_are_sure_is_empty_teaches_that():
    mask, weight = soft_of(batch_of([1], BEYOND_THE_POLYP), MEMBERS, source=Differ(), labelled=False)

    assert mask.max() < 0.1
    assert weight.eq(1).all()


def test_a_labelled_image_counts_whatever_the_members_say_of_it():
    assert soft_of(batch_of([1], torch.eye(3)), MEMBERS, source=Differ()).weight.eq(1).all()


@pytest.mark.parametrize(("weighting", "polyp", "around"), [("confidence", 0.6, 1), ("agreement", 0.3, 1)])
def test_pixels_count_by_confidence_or_agreement_where_the_recipe_says_so(weighting, polyp, around):
    batch = batch_of([1], torch.eye(3))

    weight = soft_of(batch, MEMBERS, source=Differ(), soft_weighting=weighting).weight[0, 0]

    assert weight[8, 8] == pytest.approx(polyp, abs=1e-6)
    assert weight[0, 0] == around


def test_soft_weight_takes_the_place_of_mask_share():
    with pytest.raises(ValueError, match="takes the place of mask_share"):
        TeacherPart(name="t", soft_weight=1.0, mask_share=0.3)
