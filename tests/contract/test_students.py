"""What every student of the table promises; `pytest -k NAME` for one."""

import pytest

from engine.faults import FaultCode, FaultError
from engine.models import STUDENTS, make_student

torch = pytest.importorskip("torch", reason="pip install 'polyplive[torch]'")

SIZE_PX = 96


@pytest.fixture(scope="module", params=sorted(STUDENTS))
def student(request):
    torch.manual_seed(0)
    return make_student(request.param, {}).eval()


@pytest.fixture(scope="module")
def image():
    return torch.rand(2, 3, SIZE_PX, SIZE_PX, generator=torch.Generator().manual_seed(0))


def test_logits_have_the_size_of_the_image(student, image):
    with torch.inference_mode():
        assert student(image).shape == (2, 1, SIZE_PX, SIZE_PX)


def test_features_have_the_strides_they_are_named_for(student, image):
    with torch.inference_mode():
        features = student.predict(image).features

    assert set(features) == set(student.strides)
    for name, stride in student.strides.items():
        assert features[name].shape[-2:] == (SIZE_PX // stride, SIZE_PX // stride)


def test_every_parameter_learns(student, image):
    student.train()
    student(image).square().mean().backward()
    silent = [name for name, parameter in student.named_parameters() if parameter.grad is None]
    student.zero_grad()
    student.eval()

    assert silent == []


def test_a_picture_is_judged_by_itself(student, image):
    with torch.inference_mode():
        together, alone = student(image)[:1], student(image[:1])

    assert torch.allclose(together, alone, atol=1e-4)


def test_the_encoder_is_a_part_of_the_network(student):
    own = {id(parameter) for parameter in student.parameters()}

    assert student.encoder_parameters()
    assert all(id(parameter) in own for parameter in student.encoder_parameters())


def test_the_cost_counts_weights_and_multiplications():
    from engine.models.cost import Cost, cost_of

    convolution = torch.nn.Conv2d(3, 8, kernel_size=3, padding=1, bias=False)

    assert cost_of(convolution, size_px=10) == Cost(parameters=3 * 8 * 9, macs=3 * 8 * 9 * 10 * 10)


def test_an_argument_it_does_not_take_is_told():
    with pytest.raises(FaultError) as caught:
        make_student("light", {"colour": 1})

    assert caught.value.code is FaultCode.ARGUMENT


def test_weights_of_another_network_are_refused(tmp_path):
    from safetensors.torch import save_file

    from engine.models.encoder import load_pretrained, make_encoder

    save_file({"conv.weight": torch.zeros(1)}, tmp_path / "other.safetensors")

    with pytest.raises(FaultError) as caught:
        load_pretrained(make_encoder("mobilenetv2_050"), str(tmp_path / "other.safetensors"))

    assert caught.value.code is FaultCode.MODEL_LOAD


def test_a_missing_weights_file_is_told(tmp_path):
    from engine.models.encoder import load_pretrained, make_encoder

    with pytest.raises(FaultError) as caught:
        load_pretrained(make_encoder("mobilenetv2_050"), str(tmp_path / "none.safetensors"))

    assert caught.value.code is FaultCode.MODEL_MISSING
