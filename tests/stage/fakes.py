"""A piece that is not there: all that the stage may know of one, in a hundred lines."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from pleinair.core.codec import decode
from pleinair.core.frame import Frame, Span
from pleinair.core.graph import Graph, Input, Node, Role, SourceNode
from pleinair.core.kinds import Control, Image, Vector
from pleinair.core.source import Raw
from pleinair.stage.host import KnobSpec, ModelSpec
from pleinair.stage.server import Stage


class ModelNode(Node):
    role = Role.MODEL


class Inlet:
    """A browser's camera, passed through to the screen."""

    def __init__(self, host: FakeHost) -> None:
        self.host = host
        self.got: list[tuple[Raw, int, int]] = []
        self.keep = 400
        self._wake = threading.Event()
        self._slot: tuple[Raw, int] | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        self._slot = (raw, machine_ns)
        self.got.append((raw, machine_ns, time.monotonic_ns()))
        del self.got[: -self.keep]
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            raw, machine_ns = self._slot
            self.host.show(decode(raw), t_ns=machine_ns - self.host.origin, stream="camera")


class FakeHost:
    """Knobs are kept; frames go to the stage as a runner would hand them over."""

    def __init__(self, folder: Path, *, browser: bool = False, styles: int = 26) -> None:
        self.title, self.artist = "Mirror", "A. Painter"
        self.origin = time.monotonic_ns()
        self.knobs = [
            KnobSpec("strength", 0.8),
            KnobSpec("glow", 0.9, (0.0, 2.0)),
            KnobSpec("styles", (1.0, *[0.0] * (styles - 1)), names=tuple(f"style {i + 1}" for i in range(styles))),
        ]
        self.models = [ModelSpec("painting", "multistyle26", ("multistyle26", "anystyle"), pictures=True)]
        self.browser_inputs = {"camera": Inlet(self)} if browser else {}
        self.budget_age_ms = 100.0
        self.presets_file = folder / "presets.json"
        self.notices = [
            {"name": "licences", "text": "exhibit-free: allowed, with a credit for each of 2 ingredients"},
            {"name": "energy", "text": "no meter on this machine: no number is shown (grade E)"},
        ]
        self.graph = Graph(
            {
                "camera": SourceNode("camera", None, Image, size=(320, 240)),
                **{k.name: SourceNode(k.name, None, Vector if k.names else Control) for k in self.knobs},
                "painting": ModelNode("painting", [Input("camera", hot=True), Input("styles")], Image),
                "draw": Node(
                    "draw",
                    [Input("painting", hot=True), Input("camera", "same"), Input("strength"), Input("glow")],
                    Image,
                ),
            },
            {"main": "draw"},
        )
        self._values = {k.name: self._kept(k.default) for k in self.knobs}
        self._seq: dict[str, int] = {}
        self.stage: Stage | None = None
        self.swapped: list[tuple[str, str]] = []
        self.pictures: list[tuple[str, tuple[int, ...]]] = []
        self.pushed: list[tuple[float, str, Any]] = []

    @staticmethod
    def _kept(value: Any) -> Any:
        return np.asarray(value, np.float32) if isinstance(value, (tuple, list, np.ndarray)) else float(value)

    def now_ns(self) -> int:
        return time.monotonic_ns() - self.origin

    def machine_origin_ns(self) -> int:
        return self.origin

    def push(self, stream: str, data: Any) -> None:
        self._values[stream] = self._kept(data)
        self.pushed.append((time.monotonic(), stream, data))
        self._publish(stream, self._values[stream], self.now_ns(), ())

    def value(self, stream: str) -> Any:
        return self._values[stream]

    def report(self) -> dict[str, Any]:
        three = {"p50": 8.1, "p95": 9.9, "p99": 14.2}
        node = {"fired": 900, "skipped": 12, "lost": 0, "waited_ms": {"p50": 0.1, "p95": 0.4, "p99": 2.0}}
        return {
            "piece": "mirror",
            "seconds": self.now_ns() / 1e9,
            "frames": self._seq.get("draw", 0),
            "fps": 29.97,
            "age_ms": {**three, "max": 21.0},
            "glass_ms": None,
            "nodes": {n: {**node, "ran_ms": three, "age_ms": three} for n in ("camera", "painting", "draw")},
            "first_frame_s": 1.2,
            "rss_mb": 240.5,
            "cpu_s": 12.0,
            "energy": {"grade": "E", "wh": None},
            "faults": [],
            "backends": {"painting": {"name": "openvino", "version": "2026.4", "threads": 2, "precision": "bf16"}},
        }

    def swap(self, model: str, card: str) -> None:
        self.swapped.append((model, card))

    def picture(self, model: str, image: np.ndarray) -> None:
        self.pictures.append((model, image.shape))

    # ---- what the runner would do

    def _publish(self, stream: str, data: Any, t_ns: int, trace: tuple[Span, ...]) -> Frame:
        seq = self._seq[stream] = self._seq.get(stream, -1) + 1
        frame = Frame(data, stream, seq, t_ns, trace=trace)
        if self.stage is not None:
            self.stage.on_frame(frame)
        return frame

    def show(self, image: np.ndarray, t_ns: int | None = None, stream: str = "camera") -> Frame:
        """A picture through the whole piece: what comes in is what is drawn."""
        t_ns = self.now_ns() if t_ns is None else t_ns
        self._publish("camera", image, t_ns, ())
        now = self.now_ns()
        trace = (Span("camera", 0, now - t_ns, now), Span("painting", 2_000, 20_000, now))
        self._publish("painting", image, t_ns, trace)
        return self._publish("draw", image, t_ns, (*trace, Span("draw", 1_000, 5_000, now)))


class Numbered:
    """A thread that shows pictures that carry their number, at `fps`, until closed."""

    def __init__(self, host: FakeHost, fps: float = 30, size: tuple[int, int] = (320, 240)) -> None:
        self.host, self.size = host, size
        self.shown: dict[int, tuple[int, float]] = {}
        """number -> (seq, wall time when it was made)."""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(1 / fps,), daemon=True)
        self._thread.start()

    def _run(self, step: float) -> None:
        number = 0
        due = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            due += step
            wall, t_ns = time.time(), self.host.now_ns()
            frame = self.host.show(barcode(number, self.size), t_ns)
            self.shown[number] = (frame.seq, wall)
            number += 1

    def close(self) -> None:
        self._stop.set()
        self._thread.join(1)


def barcode(number: int, size: tuple[int, int]) -> np.ndarray:
    """A quiet picture with `number` as 16 black or white blocks along its top."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    image = np.stack([60 + 60 * x / width, 40 + 80 * y / height, 90 + 0 * x], -1).astype(np.uint8)
    block = width // 16
    for bit in range(16):
        image[: height // 6, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    return image


READ_BARCODE = """(() => {
  const c = document.getElementById('stage'), w = Math.floor(c.width / 16), h = Math.floor(c.height / 12);
  const row = c.getContext('2d').getImageData(0, h, c.width, 1).data;
  let n = 0;
  for (let b = 0; b < 16; b++) if (row[(b * w + (w >> 1)) * 4] > 128) n |= 1 << b;
  return n;
})()"""


def staged(place: Path, **options: Any) -> SimpleNamespace:
    """A fake piece behind a real stage on any free port."""
    host = FakeHost(place, browser=options.pop("browser", False))
    stage = Stage(host, port=options.pop("port", 0), **options)
    host.stage = stage
    url = stage.start()
    for knob in host.knobs:
        host.push(knob.name, host.value(knob.name))
    return SimpleNamespace(host=host, stage=stage, url=url, token=stage.gate.token)


def until(true: Any, seconds: float = 8.0, what: str = "it did not happen") -> Any:
    """Waits for a condition, without sleeping longer than needed; returns what it found."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not (found := true()):
        assert time.monotonic() < end, what
        pause.wait(0.02)
    return found


def ask(
    it: SimpleNamespace, method: str, path: str, body: Any = None, headers: Any = (), host: str | None = None
) -> Any:
    """One request exactly as given. `headers`: pairs, or a dict. Returns (status, JSON or bytes, headers)."""
    import http.client
    import json
    from urllib.parse import urlsplit

    address = urlsplit(it.url)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        if host != "":
            connection.putheader("Host", address.netloc if host is None else host)
        pairs = list(headers.items() if isinstance(headers, dict) else headers)
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            pairs.append(("Content-Type", "application/json"))
        if body is not None:
            pairs.append(("Content-Length", str(len(body))))
        for name, value in pairs:
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        said = answer.read()
        if answer.headers.get_content_type() == "application/json":
            said = json.loads(said)
        return answer.status, said, answer.headers
    finally:
        connection.close()
