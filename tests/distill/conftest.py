"""Training tests need torch and, some of them, real images."""

import importlib.util
import json
import shutil

import pytest

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["test_*.py"]


@pytest.fixture(scope="session")
def real24(tmp_path_factory):
    """A data folder of 24 real images in 12 groups, and in weights/ a tiny encoder as timm stores it."""
    from distill.data.index import data_folder
    from engine.faults import FaultError

    try:
        source = data_folder()
    except FaultError as fault:
        pytest.skip(str(fault))
    lines = [json.loads(line) for line in (source / "index.jsonl").read_text().splitlines()]
    groups: dict[str, list[dict]] = {}
    for line in lines:
        if line["set"] in ("polypgen-c4", "cvc-clinicdb", "polypgen-neg"):
            groups.setdefault(line["group"], []).append(line)
    by_set: dict[str, list[dict]] = {}
    for members in groups.values():
        if len(members) >= 2 and len(by_set.setdefault(members[0]["set"], [])) < 8:
            by_set[members[0]["set"]] += members[:2]
    chosen = [line for members in by_set.values() for line in members]
    root = tmp_path_factory.mktemp("real24")
    for line in chosen:
        for name in filter(None, (line["image"], line["mask"])):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, root / name)
    (root / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in chosen))
    import torch
    from safetensors.torch import save_file

    from engine.models.encoder import make_encoder

    torch.manual_seed(0)
    (root / "weights").mkdir()
    save_file(make_encoder("test_efficientnet").state_dict(), root / "weights" / "tiny.safetensors")
    return root
