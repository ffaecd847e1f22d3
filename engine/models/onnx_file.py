"""A student as one ONNX file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from engine.faults import FaultCode, FaultError
from engine.files.whole import write_bytes
from engine.models.base import Student

OPSET = 18
TRACED = 2  # pictures; a batch of one would be taken for a constant
LARGE = 1024  # values of a constant that is worth it


def write_onnx(student: Student, size_px: int, path: Path) -> None:
    """`image` float32 [B, 3, S, S] -> `logits` float32 [B, 1, S, S]; the weights are inside, in fp16.

    B is free, for who judges many pictures at once; live use fixes it to 1 (engine.runtime.openvino_graph).
    The exporter writes a stack trace with the paths of this machine at every node; they are taken out.
    Raises FaultError OUTPUT for a student that only takes as many pictures as it was traced with.
    """
    program = torch.onnx.export(
        student,
        (torch.zeros(TRACED, 3, size_px, size_px),),
        input_names=["image"],
        output_names=["logits"],
        dynamic_shapes={"image": {0: torch.export.Dim("batch", min=1)}},
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
    for value in (*graph.input, *graph.output):
        if not value.type.tensor_type.shape.dim[0].dim_param:  # the exporter does not complain
            raise FaultError(
                FaultCode.OUTPUT,
                expected=f"{type(student).__name__} to take any number of pictures",
                got=f"{value.name} of {value.type.tensor_type.shape.dim[0].dim_value}, traced as a constant",
                remedy="write its forward without len() and chunk() of the batch",
            )
    _halve_weights(graph)
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, model.SerializeToString())


def _halve_weights(graph: onnx.GraphProto) -> None:
    """Large float32 constants become float16 with a cast behind them: half the file, and the same speed.

    Every runtime folds the cast when it loads. Probabilities move by about 0.002; the parity check tells.
    """
    casts = []
    for constant in graph.initializer:
        values = numpy_helper.to_array(constant)
        if values.dtype == np.float32 and values.size >= LARGE:
            name, half = constant.name, f"{constant.name}_half"
            constant.CopyFrom(numpy_helper.from_array(values.astype(np.float16), half))
            casts.append(helper.make_node("Cast", [half], [name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
