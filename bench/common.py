"""What every figure needs: its conditions, a source that costs nothing, pieces made on the spot, a browser."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pleinair.core.kinds import Control, Image
from pleinair.core.model import Model
from pleinair.core.source import Capture, Source

OUT = Path(__file__).parent / "out"
CHROMIUM = next(
    (p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome") if Path(p).exists()), None
)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


@dataclass
class Figure:
    """One line of the table. `value` against `goal`: `ok` is measured, never written down."""

    name: str
    value: float | None
    unit: str
    goal: str
    ok: bool | None
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ok = None if self.ok is None else bool(self.ok)  # numpy's truth is not JSON's


def conditions() -> dict[str, str]:
    from pleinair.machine import cpu_name
    from pleinair.manifest import environment

    return {"cpu": cpu_name(), "cores": str(os.cpu_count()), "kernel": platform.release(), **environment()}


def save(name: str, figures: list[Figure]) -> None:
    OUT.mkdir(exist_ok=True)
    found = {"when": time.strftime("%Y-%m-%d"), "conditions": conditions(), "figures": [asdict(f) for f in figures]}
    (OUT / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))


class Repeated(Source):
    """A few pictures or numbers, over and over: a source that costs nothing. `raw` stays None, as for a device that
    hands over pixels."""

    def __init__(self, values: list[Any], rate: float) -> None:
        is_picture = isinstance(values[0], np.ndarray)
        self.kind = Image if is_picture else Control
        self.size = values[0].shape[1::-1] if is_picture else None
        self.values, self.rate, self.paced = values, rate, True
        self._stopped = False

    def open(self) -> None:
        self._stopped = False

    def __iter__(self) -> Iterator[Capture]:
        number = 0
        while not self._stopped:
            yield Capture(self.values[number % len(self.values)], t_ns=int(number * 1e9 / self.rate))
            number += 1

    def interrupt(self) -> None:
        self._stopped = True


class Cached(Repeated):
    """Pictures of a synthetic scene, made beforehand."""

    def __init__(self, size: tuple[int, int], rate: float, scene: str = "room", count: int = 24) -> None:
        from pleinair.sources.synthetic import Synthetic

        maker = Synthetic(scene, size=size, rate=30)
        super().__init__([Image.check(maker.picture(i)) for i in range(count)], rate)


class Camera(Cached):
    """As a device does it: a picture is there when it is there, and is stamped when it is handed over. The lateness of
    this machine's timer is the sensor's, not the runtime's."""

    def __init__(self, size: tuple[int, int], rate: float) -> None:
        super().__init__(size, rate)
        self.paced = False

    def __iter__(self) -> Iterator[Capture]:
        began = time.monotonic_ns()
        for number, capture in enumerate(super().__iter__()):
            time.sleep(max(0.0, (began + number * 1e9 / self.rate - time.monotonic_ns()) / 1e9))
            yield Capture(capture.data, machine_ns=time.monotonic_ns())


class Timed(Model):
    """A model that notes how long each call took, on the same clock as the frames."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.ports, self.kind, self.names, self.size = model.ports, model.kind, model.names, model.size
        self.uses = getattr(model, "uses", ())
        self.calls_ns: list[int] = []
        self.open, self.close, self.describe = model.open, model.close, model.describe

    def __call__(self, *args: Any, **ports: Any) -> Any:
        began = time.perf_counter_ns()
        result = self._model(*args, **ports)
        self.calls_ns.append(time.perf_counter_ns() - began)
        return result


class Kept(Model):
    """An open model that stays open: the same in every round."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.ports, self.kind, self.names, self.size = model.ports, model.kind, model.names, model.size
        self.uses = getattr(model, "uses", ())
        self.describe = model.describe

    def open(self) -> None: ...

    def close(self) -> None: ...

    def reset(self) -> None:
        getattr(self._model, "reset", lambda: None)()

    def __call__(self, *args: Any, **ports: Any) -> Any:
        return self._model(*args, **ports)


class BenchParts:
    """Parts for a piece that a bench declares: objects instead of names."""

    def __init__(self, source: Source, model: Any = None, sink: Any = None) -> None:
        self._source, self._model, self._sink = source, model, sink

    def source(self, name: str) -> Source:
        return self._source

    def model(self, name: str) -> tuple[Any, dict[str, Any]]:
        return self._model, {}

    def interrupt(self, name: str) -> None:
        return None

    def sink(self, name: str) -> Any:
        return self._sink


def style(precision: str, size: tuple[int, int], threads: int | None = None) -> Any:
    """The 26 styles on OpenVINO at a named precision; weights for style 6 and 13, half and half."""
    import pleinair

    weights = np.zeros(26, np.float32)
    weights[[5, 12]] = 0.5
    model = pleinair.load(
        "multistyle26", size=size, backend="openvino", precision=precision, threads=threads, style_weights=weights
    )
    model.open()
    return model


def precisions() -> list[str]:
    """f32, and bf16 where this CPU has it."""
    from pleinair.manifest import isa

    return ["bf16", "f32"] if "bf16" in isa() else ["f32"]


@contextlib.contextmanager
def piece_folder(py: str, toml: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pleinair-bench-") as folder:
        (Path(folder) / "piece.py").write_text(py)
        (Path(folder) / "piece.toml").write_text(toml)
        yield Path(folder)


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`pleinair run` in a process of its own, and its address once it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pleinair", "run", str(folder), "--no-browser", "--port", "0", *options],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        url = None
        for line in process.stderr:
            if "http://" in line:
                url = next(word for word in line.split() if word.startswith("http://"))
                break
        if url is None:
            raise RuntimeError(f"the piece did not start: exit {process.wait()}")
        import threading

        threading.Thread(target=process.stderr.read, daemon=True).start()  # never let the pipe fill
        yield process, url
    finally:
        process.terminate()
        process.wait(10)


@contextlib.contextmanager
def browser(*flags: str) -> Iterator[Any]:
    """A Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chrome = play.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS, *flags])
        try:
            yield chrome
        finally:
            chrome.close()


def until(page: Any, expression: str, timeout_s: float = 60, every_s: float = 0.02) -> None:
    """Waits until a page's expression is true, by asking from outside: the stage's own policy forbids eval."""
    deadline = time.monotonic() + timeout_s
    while not page.evaluate(expression):
        if time.monotonic() > deadline:
            raise TimeoutError(expression)
        time.sleep(every_s)


def rss_mb(pid: int) -> float:
    import psutil

    process = psutil.Process(pid)
    return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)]) / 2**20


def slope_per_hour(times_s: np.ndarray, values: np.ndarray) -> float:
    """Theil-Sen slope, per hour: the median of all pairwise slopes, which outliers do not move."""
    i, j = np.triu_indices(len(values), 1)
    return float(np.median((values[j] - values[i]) / (times_s[j] - times_s[i])) * 3600)
