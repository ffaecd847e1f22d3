"""One picture at a time through a network on a GPU: uint8 up once, uint8 back once, one wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from engine.types import U8, Size

WARM_UPS = 3  # before a capture: cuDNN chooses its kernels, the allocator gets its memory


class Lane:
    """Fixed buffers (pinned on the host), a stream of its own, and for `graph` one CUDA graph of the network.

    `network`: uint8 [1, h, w, 3] on the device -> whole numbers 0..255 [1, 1, h, w]. Calls from several
    threads wait for each other. On a CPU device (tests) there is no stream and nothing to pin.
    """

    def __init__(
        self, network: Callable[[Tensor], Tensor], size: Size, device: torch.device, *, graph: bool
    ) -> None:
        on_gpu = device.type == "cuda"
        pixels = (1, size.height_px, size.width_px, 3)
        answer = (1, 1, size.height_px, size.width_px)
        self._network = network
        self._lock = threading.Lock()
        self._host_in = torch.zeros(pixels, dtype=torch.uint8, pin_memory=on_gpu)
        self._host_out = torch.zeros(answer, dtype=torch.uint8, pin_memory=on_gpu)
        self._in = torch.zeros(pixels, dtype=torch.uint8, device=device)
        self._out = torch.zeros(answer, dtype=torch.uint8, device=device)
        # Not the default stream: TensorRT would leave it for one of its own and synchronise twice.
        self._stream = torch.cuda.Stream(device) if on_gpu else None  # type: ignore[no-untyped-call]
        self._done = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        self._graph: torch.cuda.CUDAGraph | None = None
        if self._stream is not None:
            torch.cuda.synchronize(device)  # the weights have arrived: the stream waits for no other one
            with self._on_stream(), torch.inference_mode():
                for _ in range(WARM_UPS):
                    self._compute()
            self._stream.synchronize()
            if graph:
                self._graph = self._captured()

    def run(self, image: U8) -> U8:
        """Steps of probability, uint8 [h, w], of a picture uint8 [h, w, 3]; a buffer of its own."""
        with self._lock:
            np.copyto(self._host_in.numpy()[0], image)
            with self._on_stream(), torch.inference_mode():
                self._in.copy_(self._host_in, non_blocking=True)
                if self._graph is not None:
                    self._graph.replay()
                else:
                    self._compute()
                self._host_out.copy_(self._out, non_blocking=True)
                if self._done is not None:
                    self._done.record(self._stream)
            if self._done is not None:
                self._done.synchronize()
            return np.array(self._host_out.numpy()[0, 0], np.uint8)

    def _compute(self) -> None:
        # The copy converts to uint8, in the same pass.
        self._out.copy_(self._network(self._in))

    def _captured(self) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        # thread_local: another runtime may be computing in another thread while this one is made ready.
        with (
            torch.inference_mode(),
            torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"),
        ):
            self._compute()
        return graph

    def _on_stream(self) -> AbstractContextManager[object]:
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)
