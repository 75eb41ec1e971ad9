"""OpenVINO on the CPU: the fastest backend for small convolutional networks, in a precision that is always named.

Left to itself OpenVINO runs bf16 where the processor has it and f32 elsewhere, under the same request. Here the
precision is asked for, read back from the compiled network, and a machine that lacks it is a ModelFault.

The picture's conversion (u8, height x width x 3 <-> float planes, clip, round) is compiled into the network.
`import openvino` would start telemetry (a thread, a socket, files in the home folder): an empty module in its place
stops it before it is imported.

Measured (2 cores of an AMD EPYC with AVX512-BF16, OpenVINO 2026.4.1, multistyle26): resident memory of the process
after the first picture 146 MB at 320 x 240 in bf16, 163 in f32, 208 and 284 at 640 x 480; closed, all but 105 MB comes
back, and eight openings in a row leave it there. Import 0.1 s, compiling 0.35 s, first picture 1.4 x a later one.
OpenVINO's cache of compiled networks would save 0.25 s of it and is left off: one more thing on the disk that could go
stale. Around the network a call costs 0.04 ms.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import ModelFault
from .base import Tensor, another, closed
from .compiled import Compiled, last_line, not_taken, not_there

_HINTS = {"f32": "f32", "bf16": "bf16"}
_FOUND = {"float32": "f32", "f32": "f32", "bfloat16": "bf16", "bf16": "bf16", "float16": "f16", "f16": "f16"}


def runtime() -> Any:
    """The `openvino` module, imported without its telemetry. ModelFault where it is not installed."""
    if "openvino" not in sys.modules:
        sys.modules["openvino_telemetry"] = types.ModuleType("openvino_telemetry")
    try:
        import openvino
    except ImportError as error:
        raise not_there("openvino", error, 'pip install openvino, or backend = "onnx"') from None
    return openvino


_core: Any = None
_core_lock = threading.Lock()


def core() -> Any:
    """One Core for the process: each one more costs memory and time."""
    global _core
    with _core_lock:
        if _core is None:
            _core = runtime().Core()
        return _core


def precisions() -> tuple[str, ...]:
    """What this processor has, the fastest first: ("bf16", "f32") or ("f32",)."""
    able = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return ("bf16", "f32") if "BF16" in able else ("f32",)


class OpenVino(Compiled):
    """A network compiled by OpenVINO for the CPU. See base.Backend.

    ModelFault: the file is not a network, its names or shapes are not those asked for, or the processor lacks the
    precision.
    """

    name = "openvino"
    package, missing = "openvino", "openvino is not installed"
    knows, advice = tuple(_HINTS), 'precision = "f32" or "bf16"'

    def __init__(
        self, model: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, precision: str, threads: int
    ) -> None:
        super().__init__(inputs, outputs, precision=precision, threads=threads)
        ov = runtime()
        if precision not in precisions():
            raise _lacks(precision)
        try:
            network = _with_pictures(ov, _read(model, inputs, outputs), inputs, outputs)
            compiled = core().compile_model(
                network,
                "CPU",
                {
                    "INFERENCE_PRECISION_HINT": _HINTS[precision],
                    "EXECUTION_MODE_HINT": "ACCURACY",  # else some layers of "f32" run in int8, unasked: 52 dB, not 80
                    "PERFORMANCE_HINT": "LATENCY",
                    "NUM_STREAMS": 1,
                    "INFERENCE_NUM_THREADS": self.threads,
                    "ENABLE_CPU_PINNING": False,  # a pinned thread waits when something else has its core
                },
            )
        except RuntimeError as error:
            raise not_taken("OpenVINO", last_line(error)) from None
        found = compiled.get_property("INFERENCE_PRECISION_HINT")
        found = _FOUND.get(getattr(found, "get_type_name", lambda: str(found))(), str(found))
        if found != precision:
            raise _lacks(precision, found)
        self._request: Any = compiled.create_infer_request()
        self._compiled: Any = compiled
        self._tensor = ov.Tensor
        self._places = {t.name: _place(compiled, t.name) for t in outputs}
        self._free = {t.name: compiled.input(t.name) for t in inputs if t.free}
        self._inputs: dict[str, np.ndarray] = {}
        # OpenVINO refuses read-only arrays, and a frame is one: it is copied in (0.01-0.05 ms)
        for tensor in (t for t in inputs if not t.free):
            array = np.zeros(tensor.handed, np.uint8 if tensor.picture else tensor.dtype)
            self._request.set_tensor(compiled.input(tensor.name), self._shared(array, tensor))
            self._inputs[tensor.name] = array

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One inference; each output is written by the network straight into an array of the caller's own."""
        results: dict[str, np.ndarray] = {}
        with self._lock:
            request = self._request
            if request is None:
                raise closed()
            for name, array in self._inputs.items():
                np.copyto(array, arrays[name])
            for name, port in self._free.items():
                request.set_tensor(port, self._tensor(np.ascontiguousarray(arrays[name])))
            for tensor in self._outputs:
                if tensor.free:
                    continue
                out = np.empty(tensor.handed, np.uint8 if tensor.picture else tensor.dtype)
                request.set_output_tensor(self._places[tensor.name], self._shared(out, tensor))
                results[tensor.name] = out
            request.start_async()
            request.wait()
            for tensor in self._outputs:
                if tensor.free:
                    found = request.get_output_tensor(self._places[tensor.name]).data
                    results[tensor.name] = np.array(found, tensor.dtype)
        for out in results.values():
            out.setflags(write=False)  # the request holds it until the next call: read-only, nobody needs a copy
        return results

    def _shared(self, array: np.ndarray, tensor: Tensor) -> Any:
        return self._tensor(array[None] if tensor.picture else array, shared_memory=True)

    def close(self) -> None:
        with self._lock:
            self._request = self._compiled = None
            self._inputs = {}


def _read(model: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Any:
    """The network in these bytes. OpenVINO reads ONNX from memory and TFLite from a file only: it gets one for as long
    as it reads, and what nobody else has looked at is held against the tensors that are asked for."""
    if model[4:8] != b"TFL3":
        return core().read_model(model)
    with tempfile.TemporaryDirectory(prefix="pleinair-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "network.tflite"
        path.write_bytes(model)
        network = core().read_model(path)
    for tensors, ports in ((inputs, network.inputs), (outputs, network.outputs)):
        found = {name: _sides(port) for port in ports for name in port.get_names()}
        for tensor in tensors:
            if len(found.get(tensor.name, ())) != len(tensor.shape) or any(
                side not in (-1, asked) for side, asked in zip(found[tensor.name], tensor.shape, strict=True)
            ):
                raise another(tensor, found)
    return network


def _sides(port: Any) -> list[int]:
    return [side.get_length() if side.is_static else -1 for side in port.get_partial_shape()]


def _with_pictures(ov: Any, network: Any, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> Any:
    """The network at fixed shapes, with the conversions of its pictures inside."""
    from openvino import opset13 as op
    from openvino.preprocess import PrePostProcessor
    from openvino.utils.decorators import custom_preprocess_function

    network.reshape({t.name: list(t.shape) for t in inputs})
    steps = PrePostProcessor(network)
    for tensor in inputs:
        if tensor.picture:
            step = steps.input(tensor.name)
            step.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
            convert = step.preprocess().convert_element_type(ov.Type.f32)
            if tensor.bgr:
                convert = convert.reverse_channels()
            if tensor.mean != (0.0,):
                convert = convert.mean(_each(tensor.mean))
            convert.scale(_each(tensor.scale))
            step.model().set_layout(ov.Layout(tensor.picture))

    @custom_preprocess_function
    def levels(output: Any) -> Any:  # rounded in f32: OpenVINO leaves what follows the last convolution in f32
        scaled = op.multiply(output, op.constant(np.float32(255)))
        return op.round(op.clamp(scaled, 0.0, 255.0), "half_to_even")

    for tensor in outputs:
        if tensor.picture:
            step = steps.output(tensor.name)
            step.model().set_layout(ov.Layout(tensor.picture))
            step.postprocess().custom(levels)
            step.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    return steps.build()


def _place(compiled: Any, name: str) -> int:
    """Of an output among all that the network has: a task may ask for some of them."""
    for place, output in enumerate(compiled.outputs):
        if name in output.get_names():
            return place
    return int(compiled.output(name).get_index())


def _each(values: tuple[float, ...]) -> Any:
    return float(values[0]) if len(values) == 1 else [float(v) for v in values]


def _lacks(precision: str, found: str = "") -> ModelFault:
    why = f"OpenVINO would run {found} instead" if found else "the processor has no instructions for it"
    return ModelFault(
        f"this computer cannot run a network in {precision}: {why}",
        now="the model was not loaded; nothing was changed silently",
        hint='precision = "f32" runs everywhere and gives another picture than bf16, by a few levels',
    )
