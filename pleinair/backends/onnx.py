"""ONNX Runtime on the CPU in f32: the reference that other backends are held against.

Its threads do not spin while they wait: that costs no latency and saves nine tenths of the CPU time at 30 frames a
second. Quantised parts of a network (int8 with scales) are computed in f32 too, as written in the file, because fused
int8 kernels round differently from one instruction set to the next.

Since 1.31 the Linux wheel carries telemetry of its own, too: it writes a device id and a database into the home folder
and sends events over HTTPS. It is told not to before it is imported; a test under strace holds it to that.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .base import Tensor, closed
from .compiled import Compiled, last_line, not_taken, not_there
from .onnx_edit import with_shapes
from .pictures import to_floats, to_levels


def runtime() -> Any:
    """The `onnxruntime` module. ModelFault where it is not installed."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read once, while the library is loaded
    try:
        import onnxruntime
    except ImportError as error:
        raise not_there("onnx", error, 'pip install onnxruntime, or backend = "openvino"') from None
    return onnxruntime


class Onnx(Compiled):
    """A network run by ONNX Runtime. See base.Backend; `precision` is "f32"."""

    name = "onnx"
    package, missing = "onnxruntime", "onnxruntime is not installed"
    advice = 'precision = "f32", or backend = "openvino"'

    def __init__(
        self, model: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, precision: str, threads: int
    ) -> None:
        super().__init__(inputs, outputs, precision=precision, threads=threads)
        ort = runtime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4
        options.use_deterministic_compute = True
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        try:
            fixed = with_shapes(model, {t.name: t.shape for t in inputs if not t.free})
            self._session: Any = ort.InferenceSession(fixed, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime's exceptions share no base of their own
            raise not_taken("ONNX Runtime", last_line(error)) from None
        self._names = [t.name for t in outputs]
        self._planes = {t.name: np.empty(t.shape, np.float32) for t in inputs if t.picture}

    def floats(self) -> set[str]:
        """Which outputs are float32 in the network itself; `run` hands over the types that were asked for."""
        return {out.name for out in self._session.get_outputs() if out.type == "tensor(float)"}

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One inference."""
        with self._lock:
            if self._session is None:
                raise closed()
            feed = {t.name: self._float(t, arrays[t.name]) for t in self.inputs}
            outputs = self._session.run(self._names, feed)
        return {t.name: to_levels(t, out) for t, out in zip(self._outputs, outputs, strict=True)}

    def _float(self, tensor: Tensor, array: np.ndarray) -> np.ndarray:
        return to_floats(tensor, array, self._planes[tensor.name]) if tensor.picture else array

    def close(self) -> None:
        with self._lock:
            self._session = None
            self._planes = {}
