"""The checkers of model files against a coverage-guided fuzzer (atheris, libFuzzer): does one crash, hang or swell?

Each format gets a process of its own that starts from honest files and bends them towards new branches of our code. A
finding is anything but a file let in or a Fault: another exception, more than SLOWEST_S, more than MOST_MB. What is let
in must also be readable to the end. `python -m bench.fuzz 100000` runs that many executions for each format.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from .common import Figure

ROOT = Path(__file__).parents[1]
SLOWEST_S, MOST_MB = 5, 1024
LONGEST_BYTES = 4096
TARGETS = ("onnx", "tflite", "safetensors", "gguf", "ctranslate2", "npy", "npz", "json", "text", "torch", "any")
PARTS = (
    "parts", "what", "onnx", "tflite", "safetensors", "gguf", "ct2", "npz", "jsontext", "zipped", "pickles",
    "tensors_only", "torch_zip",
)  # fmt: skip
RUNS, QUICK = 100_000, 2_000


def run(quick: bool = False) -> list[Figure]:
    """Findings over all formats. Without atheris (Linux, up to its newest Python) nothing is measured."""
    count = QUICK if quick else RUNS
    try:
        import atheris  # noqa: F401
    except ImportError:
        return [
            Figure("malformed model files: findings of the fuzzer", None, "", "0", None, {"why": "no atheris here"})
        ]
    found = {target: fuzz(target, count) for target in TARGETS}
    executions = sum(entry["executions"] for entry in found.values())
    crashes = sum(bool(entry["finding"]) for entry in found.values())
    detail = {"executions": executions, **found}
    return [Figure("malformed model files: findings of the fuzzer", crashes, "", "0", crashes == 0, detail)]


def fuzz(target: str, count: int, seed: int = 7) -> dict[str, object]:
    """One format, in a process of its own: {"executions", "branches", "finding"}."""
    with tempfile.TemporaryDirectory(prefix="pleinair-fuzz-") as folder:
        for number, blob in enumerate(_seeds(target)):
            (Path(folder) / f"{target}-{number}").write_bytes(blob)
        limits = [f"-timeout={SLOWEST_S}", f"-rss_limit_mb={MOST_MB}", f"-max_len={LONGEST_BYTES}"]
        told = ["-print_final_stats=1", f"-artifact_prefix={folder}/found-", folder]
        command = [
            sys.executable,
            "-m",
            "bench.fuzz",
            "--child",
            target,
            f"-runs={count}",
            f"-seed={seed}",
            *limits,
            *told,
        ]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace")
        said = done.stdout + done.stderr
        left = [path.read_bytes().hex() for path in Path(folder).glob("found-*")]
    executions = re.search(r"number_of_executed_units:\s*(\d+)", said)
    branches = re.findall(r"cov: (\d+)", said)
    finding = ""
    if done.returncode or left:
        finding = f"{said[-1500:]}\n{left[0][:4000] if left else ''}"
    return {
        "executions": int(executions[1]) if executions else 0,
        "branches": int(branches[-1]) if branches else 0,
        "finding": finding,
    }


def _seeds(target: str) -> list[bytes]:
    """Honest files to begin with, and some that are not."""
    from tests.models.safe import broken, making, torches

    if target == "torch":
        arrays = making.arrays(3, ("<f4", "<i8"))
        return [torches.zipped(arrays), torches.in_a_row(arrays)]
    kinds = making.MAKERS if target == "any" else [target]
    seeds = [making.MAKERS[kind](seed) for kind in kinds for seed in range(8)]
    for kind, (make, _) in broken.CLASSES.items():
        if kind == target:
            seeds += [blob for _, blob in make()]
    return [seed for seed in seeds if len(seed) <= LONGEST_BYTES]


def _child(target: str, options: list[str]) -> None:
    import atheris

    with atheris.instrument_imports(
        include=["pleinair.models.safe", "pleinair.backends.wire", "pleinair.backends.protobuf"]
    ):
        for name in PARTS:
            importlib.import_module(f"pleinair.models.safe.{name}")
    atheris.Setup([sys.argv[0], *options], _one(target))
    atheris.Fuzz()


def _one(target: str) -> Callable[[bytes], None]:
    """What is asked of each file."""
    from pleinair.core.errors import ModelFault
    from pleinair.models.safe import check, gguf, npz, safetensors, torch_zip
    from pleinair.models.safe.parts import Broken

    readers = {"gguf": gguf.read, "npz": npz.tensors, "npy": npz.tensors, "safetensors": safetensors.tensors}

    def torch(data: bytes) -> None:
        """Outside its jail, so that the fuzzer sees its branches."""
        view = memoryview(data)
        try:
            if torch_zip.is_torch(view):
                safetensors.tensors(torch_zip.convert(view))
        except (Broken, ModelFault):
            return

    def any_format(data: bytes) -> None:
        try:
            found = check(data, "weights")
        except ModelFault as fault:
            assert fault.what.isprintable() and fault.now and fault.hint
            return
        if found.format in readers:
            try:
                readers[found.format](data)
            except ModelFault as fault:  # a type that numpy has not; numbers that are not those of the zip's own sum
                assert "is not read here" in fault.what or "is damaged" in fault.what, fault.what

    return torch if target == "torch" else any_format


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2], sys.argv[3:])
    else:
        os.nice(10)
        for name in sys.argv[2:] or TARGETS:
            print(name, fuzz(name, int(sys.argv[1]) if len(sys.argv) > 1 else QUICK), flush=True)
