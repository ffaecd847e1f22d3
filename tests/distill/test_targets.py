"""What teachers said of a frame reaches the batch where, and only where, the view shows it."""

import pytest
import torch

from distill.data.dataset import Batch
from distill.recipe import TeacherPart
from distill.teaching.targets import Teaching, teacher_names

HALF_A_VIEW_RIGHT = torch.tensor([[1.0, 0, 0.5], [0, 1, 0], [0, 0, 1]])


class Says:
    """A teacher that sees a polyp everywhere, and the number of the image as its feature."""

    channels, grid = 1, (4, 4)

    def features(self, positions):
        return torch.tensor(positions).float().view(-1, 1, 1, 1).expand(-1, 1, 4, 4).clone()

    def masks(self, positions):
        return torch.ones(len(positions), 1, 8, 8)


def batch_of(positions, matrix, hidden=()):
    count = len(positions)
    zeros = torch.zeros(count, 1, 16, 16)
    return Batch(
        zeros.expand(-1, 3, -1, -1), zeros, matrix.repeat(count, 1, 1), (hidden,) * count, tuple(positions)
    )


def teaching(share=0.5):
    return Teaching({"t": Says()}, [TeacherPart(name="t", mask_share=share)])


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
    masks_alone = Teaching({"t": Says()}, [TeacherPart(name="t", mask_share=0.5, features=False)])
    batch = batch_of([3], torch.eye(3))

    assert masks_alone.targets(batch) == {}
    assert masks_alone.softened(batch).eq(0.5).all()


def test_a_teacher_that_teaches_nothing_is_refused():
    with pytest.raises(ValueError, match="t teaches nothing"):
        TeacherPart(name="t", features=False)


class Brightness:
    """A teacher of views that calls polyp what is bright."""

    def masks_of_view(self, image):
        return image.mean(1, keepdim=True)


def test_a_teacher_that_sees_views_is_asked_of_what_the_student_sees():
    part = TeacherPart(name="task:v", mask_share=0.5, features=False, sees_view=True)
    seeing = Teaching({}, [part], {part.name: Brightness()})
    batch = batch_of([0, 5], HALF_A_VIEW_RIGHT)._replace(image=torch.rand(2, 3, 16, 16))

    assert seeing.targets(batch) == {}
    torch.testing.assert_close(seeing.softened(batch), 0.5 * batch.image.mean(1, keepdim=True))


@pytest.mark.parametrize("sees_view", [False, True])
def test_a_view_without_a_polyp_keeps_its_empty_mask_where_the_recipe_says_so(sees_view):
    name = "task:v"
    part = TeacherPart(name=name, mask_share=0.5, features=False, sees_view=sees_view, softens_empty=False)
    given = ({}, [part], {name: Brightness()}) if sees_view else ({name: Says()}, [part])
    batch = batch_of([0, 1], torch.eye(3))._replace(image=torch.ones(2, 3, 16, 16))
    batch.mask[1, 0, 3, 3] = 1

    softened = Teaching(*given).softened(batch)

    assert softened[0].eq(0).all()
    assert softened[1].min() == 0.5
    assert softened[1, 0, 3, 3] == 1


@pytest.mark.parametrize("more", [{"features": True}, {"features": False, "flips": True}])
def test_a_teacher_that_sees_views_gives_soft_masks_alone(more):
    with pytest.raises(ValueError, match="features and flips"):
        TeacherPart(name="task:v", mask_share=0.5, sees_view=True, **more)


def test_two_teachers_of_one_name_are_told_apart():
    same = TeacherPart(name="task:a")

    assert teacher_names([same, TeacherPart(name="dinov2_base"), same]) == (
        "task:a",
        "dinov2_base",
        "task:a#2",
    )
