"""A student as one ONNX file."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from engine.files import write_bytes
from engine.models.base import Student

OPSET = 18


def write_onnx(student: Student, size_px: int, path: Path) -> None:
    """`image` float32 [1, 3, S, S] -> `logits` float32 [1, 1, S, S], weights inside the file.

    The exporter writes a stack trace with the paths of this machine at every node; they are taken out.
    """
    program = torch.onnx.export(
        student,
        (torch.zeros(1, 3, size_px, size_px),),
        input_names=["image"],
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=True,
        verbose=False,
    )
    assert program is not None  # None is for the exporter without dynamo
    model = program.model_proto
    graph = model.graph
    for part in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString())
