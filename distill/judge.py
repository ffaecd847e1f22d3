"""Figures of a finished model folder on the validation split it was trained beside."""

from __future__ import annotations

from pathlib import Path

from distill.data.dataset import Pictures
from distill.data.index import load_index
from distill.data.splits import grouped_split
from distill.evaluate import evaluate
from distill.networks import maps_of, network_of
from distill.recipe import load_recipe
from engine.model_folder import Metric, find_model, load_model_folder


def judge_model(name_or_path: str, data_root: Path, runtime: str) -> tuple[Metric, ...]:
    """`p05_image` figures by `runtime` (torch, onnx, openvino). Raises FaultError."""
    folder = load_model_folder(find_model(name_or_path))
    part = load_recipe(folder.card.training.recipe).data
    index = load_index(data_root)
    split = grouped_split(index.records, part.folds, part.fold, part.split_seed, part.validation_groups)
    validation = Pictures(data_root, [index.records[i] for i in split.validation])
    maps = maps_of(network_of(folder, runtime), validation, folder.card.input, folder.card.output)
    return evaluate(validation, maps).metrics
