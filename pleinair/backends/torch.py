"""torch as a runtime for ONNX files, on a GPU where there is one. An optional extra: pip install "pleinair[torch]".

What this is and what it is not. torch's own files are programs (pickle, TorchScript, torch.export's archives): none of
them is run here, ever; `models.safe.torch_zip` reads tensors out of them, and a converter writes ONNX. What torch is
good for beside OpenVINO and ONNX Runtime is a GPU: the same checked ONNX files, node by node, with the operators of
`torch_ops` (those of picture networks: convolutions, transformers, painters; no loops, no recurrences), in f32 without
TF32 and with deterministic kernels. It is never chosen by itself: `backend = "torch"` in piece.toml.

On a CPU it is right, and slower than the others. It was written for CUDA and has not yet been run on such a device.
What ran where is in `isa`: "cuda: " and the device's name, or the processor's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..core.errors import ModelFault
from .base import Tensor, closed
from .compiled import Compiled, first_line, not_taken, not_there


def runtime() -> Any:
    """The `torch` module. ModelFault where it is not installed."""
    try:
        import torch
    except ImportError as error:
        raise not_there("torch", error, 'pip install "pleinair[torch]", or backend = "openvino"') from None
    return torch


def device(torch: Any) -> Any:
    """The first CUDA device, else the CPU."""
    return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")


class Torch(Compiled):
    """An ONNX network run by torch. See base.Backend; `precision` is "f32".

    ModelFault: not a network, an operator that is not known here, names or shapes that are not those asked for.
    """

    name = "torch"
    package, missing = "torch", "torch is not installed (optional)"
    knows = ("f32",)  # with every sum in bf16 a painter's picture is another one

    def __init__(
        self, model: bytes, inputs: Sequence[Tensor], outputs: Sequence[Tensor], *, precision: str, threads: int
    ) -> None:
        super().__init__(inputs, outputs, precision=precision, threads=threads)
        torch = self._torch = runtime()
        from .torch_network import Network

        self._device = device(torch)
        cuda = self._device.type == "cuda"
        self.isa = f"cuda: {torch.cuda.get_device_name(self._device)}" if cuda else self.isa
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True
        torch.set_num_threads(self.threads)  # of the whole process: torch knows no other way
        try:
            self._network: Any = Network(model, self._device)
        except ValueError as error:
            raise not_taken("torch", str(error), 'backend = "openvino" or "onnx"') from None

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One inference. ModelFault where an operator meets what it does not know."""
        with self._lock:
            if self._network is None:
                raise closed()
            with self._torch.inference_mode():
                given = {t.name: self._given(t, arrays[t.name]) for t in self.inputs}
                try:
                    found = self._network.run(given, [t.name for t in self._outputs])
                except (ValueError, TypeError, IndexError, KeyError, RuntimeError) as error:
                    raise ModelFault(f"torch cannot run this network: {first_line(error)}") from None
                return {t.name: self._found(t, found[t.name]) for t in self._outputs}

    def _given(self, tensor: Tensor, array: np.ndarray) -> Any:
        torch = self._torch
        x = torch.from_numpy(np.array(array)).to(self._device)  # a copy: a frame is read-only, which torch refuses
        if not tensor.picture:
            return x
        x = x.flip(-1) if tensor.bgr else x
        mean, scale = (torch.tensor(v, dtype=torch.float32, device=self._device) for v in (tensor.mean, tensor.scale))
        x = ((x.to(torch.float32) - mean) / scale)[None]
        return x.permute(0, 3, 1, 2).contiguous() if tensor.picture == "NCHW" else x

    def _found(self, tensor: Tensor, x: Any) -> np.ndarray:
        torch = self._torch
        if tensor.picture:
            x = x[0].permute(1, 2, 0) if tensor.picture == "NCHW" else x[0]
            x = (x * 255).clamp(0, 255).round().to(torch.uint8)  # round: half to even
        dtype = np.uint8 if tensor.picture else tensor.dtype
        return np.array(x.cpu().numpy(), dtype, order="C")

    def close(self) -> None:
        with self._lock:
            self._network = None
            if self._device.type == "cuda":
                self._torch.cuda.empty_cache()
