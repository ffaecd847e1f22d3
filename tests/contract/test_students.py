"""What every student of the table promises; `pytest -k NAME` for one."""

import inspect
import itertools

import pytest

from engine.faults import FaultCode, FaultError
from engine.models import STUDENTS, make_student

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

SIZE_PX = 64
COMMITTEE = "committee"
# The nets narrow, or on a very small encoder: the promises are of the graph, not of its width.
SMALL = {
    "light": {"encoder": "test_efficientnet", "channels": 16},
    COMMITTEE: {"encoders": "test_efficientnet test_efficientnet", "channels": "16 8"},
    "unet": {"width": 4},
    "unetpp": {"width": 4},
    "pranet": {"encoder": "test_efficientnet"},
    "emcadnet": {"encoder": "test_efficientnet"},
}
VARIANTS = [
    (name, {**args, "latent_feed": feed})
    for name, args in SMALL.items()
    for feed in ("none", "concat", "residual")
    if name != COMMITTEE  # its members are trained without
] + [
    ("unet", {"width": 4, "up": "transposed"}),
    (COMMITTEE, SMALL[COMMITTEE] | {"mirrored": True}),
    (COMMITTEE, SMALL[COMMITTEE] | {"mirrored": False}),
]


def made(name, args):
    torch.manual_seed(0)
    return make_student(name, args).eval()


def a_batch(pictures):
    return torch.rand(pictures, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Threads that wait for each other cost more than such small layers."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda case: f"{case[0]}-{[*case[1].values()][-1]}")
def student(request):
    return made(*request.param)


def those_that_learn_nothing(student, image):
    said = student.train().predict(image)
    sum(logits.square().mean() for logits in (said.logits, *said.auxiliary)).backward()
    return [name for name, parameter in student.named_parameters() if parameter.grad is None]


@pytest.fixture(scope="module")
def image():
    return a_batch(2)


def test_a_small_variant_of_every_student_is_tested():
    # The benches may have added their peers, wherever they ran before.
    assert set(SMALL) == {name for name in STUDENTS if not name.startswith("peer-")}


def test_an_image_is_all_it_takes(student):
    assert list(inspect.signature(student.predict).parameters) == ["image"]
    assert list(inspect.signature(student.forward).parameters) == ["image"]


@pytest.mark.parametrize("pictures", [1, 3])
def test_logits_and_auxiliary_logits_have_the_size_of_the_image(student, pictures):
    with torch.inference_mode():
        said = student.predict(a_batch(pictures))

    assert [logits.shape for logits in (said.logits, *said.auxiliary)] == [
        (pictures, 1, SIZE_PX, SIZE_PX) for _ in (said.logits, *said.auxiliary)
    ]


@pytest.mark.parametrize(
    ("name", "more"),
    [("light", 0), (COMMITTEE, 0), ("unet", 0), ("unetpp", 0), ("pranet", 3), ("emcadnet", 3)],
)
def test_deep_supervision_has_the_outputs_of_the_paper(name, more):
    with torch.inference_mode():
        said = made(name, SMALL[name]).predict(a_batch(1))
    outputs = (said.logits, *said.auxiliary)

    assert len(outputs) == 1 + more
    assert all(not torch.equal(one, other) for one, other in itertools.combinations(outputs, 2))


def test_features_have_the_strides_and_channels_that_are_told(student, image):
    with torch.inference_mode():
        features = student.predict(image).features

    assert set(features) == set(student.strides) == set(student.channels)
    for name, stride in student.strides.items():
        side = SIZE_PX // stride
        assert features[name].shape == (2, student.channels[name], side, side), name


def test_a_teacher_finds_where_to_attach(student):
    assert (student.strides["s8"], student.strides["s16"]) == (8, 16)
    assert max(student.strides, key=lambda name: student.strides[name]) == "deepest"  # the first of equals


def test_what_is_shown_is_what_is_trained(student, image):
    with torch.inference_mode():
        assert torch.equal(student(image), student.predict(image).logits)


def test_the_same_picture_gets_the_same_answer(student, image):
    with torch.inference_mode():
        assert torch.equal(student(image), student(image))


def test_every_parameter_learns(student, image):
    silent = those_that_learn_nothing(student, image)
    student.zero_grad()
    student.eval()

    assert silent == []


def test_a_committee_says_the_mean_of_its_members_and_of_the_mirror_image(image):
    committee = made(COMMITTEE, {**SMALL[COMMITTEE], "mirrored": True})

    with torch.inference_mode():
        straight = [member(image) for member in committee.members]
        mirrored = [member(image.flip(-1)).flip(-1) for member in committee.members]
        expected = torch.stack(straight + mirrored).mean(0)

        assert torch.allclose(committee(image), expected, atol=1e-5)
        assert not torch.allclose(straight[0], straight[1])


@pytest.mark.parametrize("args", [{"encoder": "pvt_v2_b0"}, {"encoder": "repvit_m0_9"}], ids=str)
def test_every_parameter_of_a_published_encoder_learns(args):
    assert those_that_learn_nothing(made("emcadnet", args), a_batch(2)) == []


def test_a_picture_is_judged_by_itself(student, image):
    with torch.inference_mode():
        together, alone = student(image)[:1], student(image[:1])

    assert torch.allclose(together, alone, atol=1e-4)


def test_the_encoder_is_a_part_of_the_network(student):
    own = {id(parameter) for parameter in student.parameters()}
    encoder = {id(parameter) for parameter in student.encoder_parameters()}

    assert encoder
    assert encoder < own


@pytest.mark.parametrize("name", sorted(set(SMALL) - {COMMITTEE}))
class TestLatents:
    """L1 and L2 of Polyp-DiFoM: the published code computes them and lets nothing use them."""

    def test_without_a_feed_there_are_none(self, name):
        plain = made(name, SMALL[name])

        assert not {"L1", "L2"} & set(plain.strides)
        assert not [key for key in plain.state_dict() if "latents" in key]

    @pytest.mark.parametrize("feed", ["concat", "residual"])
    def test_they_lie_on_the_deepest_map(self, name, feed):
        fed = made(name, {**SMALL[name], "latent_feed": feed})

        assert fed.strides["L1"] == fed.strides["L2"] == fed.strides["deepest"]
        assert fed.channels["L1"] == fed.channels["L2"] == 256

    def test_the_mask_depends_on_them(self, name):
        fed = made(name, {**SMALL[name], "latent_feed": "concat"})
        fed(a_batch(1)).square().mean().backward()
        moved = [
            key for key, weight in fed.named_parameters() if "latents" in key and weight.grad.abs().sum() > 0
        ]

        mixed_here = {"mix"} if name != "pranet" else set()  # there the decoder's own convolutions mix
        assert {key.split(".")[1] for key in moved} == {"first", "second"} | mixed_here

    def test_the_residual_one_changes_nothing_before_it_is_trained(self, name, image):
        plain = made(name, SMALL[name])
        fed = made(name, {**SMALL[name], "latent_feed": "residual"})
        fed.load_state_dict(plain.state_dict(), strict=False)
        with torch.inference_mode():
            assert torch.equal(fed(image), plain(image))

        fed(image).square().mean().backward()
        assert fed.get_parameter("latents.offset.weight").grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("light", {"colour": 1}),
        ("unet", {"latent_feed": "sum"}),
        ("unet", {"up": "cubic"}),
        ("light", {"encoder": "x"}),
        (COMMITTEE, {"encoders": "test_efficientnet", "channels": "8 8"}),
        (COMMITTEE, {"encoders": "", "channels": ""}),
        (COMMITTEE, {"encoders": "test_efficientnet", "channels": "wide"}),
    ],
)
def test_an_argument_it_does_not_take_is_told(name, args):
    with pytest.raises(FaultError) as caught:
        make_student(name, args)

    assert caught.value.code is FaultCode.ARGUMENT


# The exporter takes seconds a network: the rest in `make test-slow`.
@pytest.mark.parametrize(
    ("name", "feed"),
    [("light", "concat")]
    + [pytest.param(name, "none", marks=pytest.mark.slow) for name in SMALL]
    + [pytest.param("unet", "residual", marks=pytest.mark.slow)],
)
def test_the_exported_file_says_what_the_network_says_of_one_picture_and_of_three(name, feed, tmp_path):
    pytest.importorskip("onnx", reason="pip install 'polyplive[train]'")
    from distill.judging.networks import onnx_network
    from engine.models.onnx_file import write_onnx

    student = made(name, SMALL[name] if feed == "none" else {**SMALL[name], "latent_feed": feed})
    write_onnx(student, SIZE_PX, tmp_path / "student.onnx")
    exported = onnx_network(tmp_path / "student.onnx")

    for pictures in (1, 3):
        image = a_batch(pictures)
        with torch.inference_mode():
            own = student(image)
        said = torch.from_numpy(exported(image.numpy()))
        assert own.std() > 0
        assert said.shape == own.shape
        # The file has its weights in half precision.
        assert torch.allclose(said, own, rtol=1e-3, atol=3e-3 * float(own.std()))


def test_a_student_that_counts_its_pictures_is_not_exported(tmp_path):
    pytest.importorskip("onnx", reason="pip install 'polyplive[train]'")
    from engine.models.onnx_file import write_onnx

    class Counting(torch.nn.Module):
        def forward(self, image):
            return image.mean(1, keepdim=True) / len(image)

    with pytest.raises(FaultError) as caught:
        write_onnx(Counting(), SIZE_PX, tmp_path / "student.onnx")

    assert caught.value.code is FaultCode.OUTPUT
    assert list(tmp_path.iterdir()) == []
