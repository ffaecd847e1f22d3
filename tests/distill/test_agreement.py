"""Members of a teacher agree on an image, or the image teaches nothing."""

from itertools import combinations

import pytest
import torch

from distill.teachers.agreement import disagreement, pairwise_dice, trust

EVERYWHERE = torch.ones(1, 1, 8, 8)


def members(count, seed=0):
    return torch.rand(count, 2, 1, 8, 8, generator=torch.Generator().manual_seed(seed))


def square(level, left=2):
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., 2:6, left : left + 4] = level
    return mask


def trusted(*masks, valid=EVERYWHERE, least_dice=0.8):
    maps = torch.stack(masks)
    return trust(maps.mean(0), disagreement(maps), valid, least_dice)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_the_disagreement_is_the_mean_difference_of_all_pairs(count):
    maps = members(count)
    pairs = [(maps[i] - maps[j]).abs() for i, j in combinations(range(count), 2)]

    torch.testing.assert_close(disagreement(maps), torch.stack(pairs).mean(0))


def test_one_member_does_not_disagree_with_itself():
    assert disagreement(members(1)).eq(0).all()


@pytest.mark.parametrize("count", [2, 4])
def test_the_pairwise_dice_is_that_of_the_members_masks(count):
    maps = members(count)
    pairs = list(combinations(maps, 2))
    both = sum(2 * torch.minimum(one, other).sum((1, 2, 3)) for one, other in pairs)
    total = sum((one + other).sum((1, 2, 3)) for one, other in pairs)

    found = pairwise_dice(maps.mean(0), disagreement(maps), torch.ones(2, 1, 8, 8))

    torch.testing.assert_close(found, both / total)


def test_a_view_that_members_outline_alike_counts_less_where_they_differ():
    weight = trusted(square(0.9), square(0.8))

    torch.testing.assert_close(weight, 1 - square(0.1))


def test_a_view_that_members_outline_differently_teaches_nothing():
    assert trusted(square(0.9), square(0.9, left=4)).eq(0).all()
    assert trusted(square(0.9), square(0.9, left=4), least_dice=0.4).gt(0).any()


def test_a_polyp_that_one_member_alone_sees_teaches_nothing():
    assert trusted(square(0.9), square(0.02)).eq(0).all()


def test_a_view_that_all_are_sure_shows_nothing_teaches_that_it_is_empty():
    weight = trusted(square(0.09), square(0.01, left=4))  # no Dice to speak of

    assert weight.gt(0.9).all()
    assert trusted(torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)).eq(1).all()


def test_only_what_the_teacher_saw_of_a_view_is_asked_and_counts():
    valid = torch.zeros(1, 1, 8, 8)
    valid[..., :4] = 1  # they differ in the other half
    weight = trusted(square(0.9), square(0.9) * valid, valid=valid)

    assert torch.equal(weight, valid)


def test_each_image_of_a_batch_is_judged_by_itself():
    good, bad = square(0.9), square(0.9, left=4)
    maps = torch.stack([torch.cat([good, good]), torch.cat([good, bad])])

    weight = trust(maps.mean(0), disagreement(maps), torch.ones(2, 1, 8, 8), 0.8)

    assert weight.amax((1, 2, 3)).tolist() == [1, 0]
