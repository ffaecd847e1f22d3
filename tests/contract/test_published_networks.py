"""PraNet and EMCAD say what their papers and public networks say, written down a second time here."""

import pytest

from engine.models import make_student

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")
F = torch.nn.functional

SIZE_PX = 64
TINY = "test_efficientnet"


def made(name, **args):
    """A student with statistics of BatchNorm that are not 0 and 1, and an image."""
    torch.manual_seed(0)
    student = make_student(name, {"encoder": TINY, **args}).eval()
    for part in student.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.running_mean.uniform_(-0.1, 0.1)
            part.running_var.uniform_(0.5, 1.5)
    return student, torch.rand(2, 3, SIZE_PX, SIZE_PX)


def raised(maps):
    """`nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)`, of CPD and of PraNet's decoder."""
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=True)


def partial_decoder(part, at_32, at_16, at_8):
    """PraNet (2006.11392) after CPD (1904.08739): each level times all deeper ones, then joined upwards."""
    gated_16 = part.gate_16(raised(at_32)) * at_16
    gated_8 = part.gate_8_by_32(raised(raised(at_32))) * part.gate_8_by_16(raised(at_16)) * at_8
    joined_16 = part.join_16(torch.cat((gated_16, part.raise_32(raised(at_32))), 1))
    joined_8 = part.join_8(torch.cat((gated_8, part.raise_16(raised(joined_16))), 1))
    return part.head(part.last(joined_8))


def stretched(logits, factor):
    """`F.interpolate(..., mode="bilinear")` without aligned corners, of PraNet's maps after the decoder."""
    return F.interpolate(logits, scale_factor=factor, mode="bilinear")


def pranet(student, maps, seen):
    """All four outputs, the finest first, from the encoder's maps; `seen` is what stands for the deepest."""
    maps = [*maps[:-1], seen]
    narrow = [block(found) for block, found in zip(student.receptive, maps, strict=True)]
    rough = partial_decoder(student.partial, *reversed(narrow))
    outputs, crop = [stretched(rough, 8)], stretched(rough, 0.25)
    for stage, level, stride in zip(reversed(student.reverse), reversed(maps), (32, 16, 8), strict=True):
        here = stage.reduce((-1 * torch.sigmoid(crop) + 1).expand(-1, level.shape[1], -1, -1).mul(level))
        for conv in stage.convs:
            here = F.relu(conv(here))
        said = stage.last(here) + crop
        outputs.insert(0, stretched(said, stride))
        crop = stretched(said, 2)
    return outputs


def test_pranet_says_bit_for_bit_what_the_published_formula_says():
    student, image = made("pranet")

    with torch.inference_mode():
        maps, said = student.encoder(image), student.predict(image)
        theirs = pranet(student, maps, maps[-1])

    assert said.logits.std() > 0
    assert all(torch.equal(a, b) for a, b in zip((said.logits, *said.auxiliary), theirs, strict=True))


def test_pranets_latents_go_straight_into_the_deepest_field_and_the_first_stage():
    student, image = made("pranet", latent_feed="concat")

    with torch.inference_mode():
        maps, said = student.encoder(image), student.predict(image)
        whole = torch.cat([maps[-1], said.features["L1"], said.features["L2"]], dim=1)
        theirs = pranet(student, maps, whole)

    assert torch.equal(said.logits, theirs[0])


def emcad(student, maps):
    """MSCAM, then a level at a time EUCB, LGAG, added, MSCAM (2405.06880); one spatial attention, ReLU."""

    def refined(level, here):
        cab, mscb = student.refine[level].channels.bottleneck, student.refine[level].scales
        here = torch.sigmoid(cab(F.adaptive_avg_pool2d(here, 1)) + cab(F.adaptive_max_pool2d(here, 1))) * here
        summary = torch.cat([here.mean(1, keepdim=True), here.max(1, keepdim=True)[0]], dim=1)
        here = torch.sigmoid(student.spatial.conv(summary)) * here
        wide = F.relu(mscb.widen[1](mscb.widen[0](here)))
        return here + mscb.narrow(sum(F.relu(norm(conv(wide))) for conv, norm, _ in mscb.scales))

    here = refined(3, maps[3])
    heads = [here]
    for level in (2, 1, 0):
        _, depthwise, norm, _, pointwise = student.raises[level]
        up = pointwise(F.relu(norm(depthwise(F.interpolate(here, scale_factor=2)))))
        gate = student.gates[level]
        skip = maps[level] * gate.weight(F.relu(gate.of_below(up) + gate.of_skip(maps[level])))
        here = refined(level, up + skip)
        heads.insert(0, here)
    return [
        F.interpolate(head(found), scale_factor=stride, mode="bilinear")
        for head, found, stride in zip(student.heads, heads, (4, 8, 16, 32), strict=True)
    ]


def test_emcad_says_what_the_public_network_says():
    student, image = made("emcadnet")
    with torch.inference_mode():
        # Wide enough that a ReLU6 would clip.
        maps = [300 * found for found in student.encoder(image)]
        student.encoder.forward = lambda image: maps
        said, theirs = student.predict(image), emcad(student, maps)

    for ours, published in zip((said.logits, *said.auxiliary), theirs, strict=True):
        assert torch.allclose(ours, published, rtol=1e-4, atol=1e-4 * float(published.std()))


def test_all_levels_of_emcad_share_one_spatial_attention():
    student, _ = made("emcadnet")

    assert len([key for key in student.state_dict() if "spatial" in key]) == 1
