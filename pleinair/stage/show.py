"""The running piece: graph, runner, stage, recorder and hot reload held together. What `pleinair run` starts."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import assembly, tapes
from ..core.errors import Fault, PieceFault, did_you_mean
from ..core.graph import SourceNode
from ..core.kinds import Image, Kind
from ..core.observer import Observer
from ..core.source import Raw
from ..piece import FunctionNode, ModelNode
from ..run.live import LiveRunner
from ..run.tape import Recorder
from .host import BrowserInput, KnobSpec, ModelSpec

LOOK_S = 0.25
"""How often piece.py and piece.toml are looked at for a change."""
END_S = 0.5
SETTLE_S = 0.05
"""A file that changed must stay the same for so long: an editor may still be writing it."""


class Show:
    """A piece on stage. `start`, then `wait`, then `stop`.

    sources   NAME -> URI over what piece.toml says
    record    a folder for a tape; nothing is recorded unless it is given
    watch     reload the piece when its files are saved
    """

    def __init__(
        self,
        loaded: assembly.Loaded,
        *,
        sources: dict[str, str] | None = None,
        record: Path | None = None,
        site: Path | None = None,
        watch: bool = True,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._loaded = loaded
        self._sources, self._site, self._watch = sources, site, watch
        self._observers = list(observers)
        self._stop = threading.Event()
        self._swap_lock = threading.Lock()
        self._life = threading.RLock()
        """Held while a run is put in another's place: the end waits for it, and no run begins after the end."""
        self._looking: threading.Thread | None = None
        self._began = time.monotonic()
        self.notices: list[dict[str, str]] = []
        self._stage: Any = None
        self.pages: dict[str, BrowserInput] = {}
        self._stand_ins: list[_PageCamera] = []
        self.runner: LiveRunner | None = None
        self.recorder: Recorder | None = None
        self._record = record
        self._build(loaded)

    # -- what the stage knows (stage.host.Host) --------------------------------------------------------------------

    @property
    def title(self) -> str:
        return self._loaded.manifest.title

    @property
    def artist(self) -> str:
        return self._loaded.manifest.artist

    @property
    def budget_age_ms(self) -> float | None:
        return self._loaded.manifest.age_ms

    @property
    def presets_file(self) -> Path:
        return self._loaded.home / "presets.json"

    @property
    def knobs(self) -> list[KnobSpec]:
        specs = []
        for d in self._loaded.piece.declared.values():
            if d.word == "knob":
                specs.append(KnobSpec(d.name, d.default, d.range))
            elif d.word == "knobs":
                specs.append(KnobSpec(d.name, tuple(d.default), d.range, d.names or self._place_names(d.name, d.count)))
        return specs

    def _place_names(self, stream: str, count: int) -> tuple[str, ...]:
        """What the card of the model that reads these knobs calls them; else 1, 2, 3."""
        for node in self.graph.nodes.values():
            if isinstance(node, ModelNode):
                for place, port in zip(node.inputs, node._ports, strict=True):
                    names = node.model.names.get(port, [])
                    if place.stream == stream and len(names) == count:
                        return tuple(names)
        return tuple(str(i + 1) for i in range(count))

    @property
    def models(self) -> list[ModelSpec]:
        found = []
        for node in self.graph.nodes.values():
            if isinstance(node, ModelNode):
                spec = self._loaded.manifest.models[node.name]
                card = node.describe().get("card", spec.card)
                found.append(ModelSpec(node.name, card, spec.cards, self._picture_port(node) is not None))
        return found

    @staticmethod
    def _picture_port(node: ModelNode) -> str | None:
        """The port that a picture of one's own goes to: an Image that no stream feeds."""
        return next((p for p, kind in node.model.ports.items() if kind is Image and p not in node._ports), None)

    @property
    def browser_inputs(self) -> Mapping[str, BrowserInput]:
        return self.pages

    def now_ns(self) -> int:
        return self.runner.clock.now_ns() if self.runner else 0

    def machine_origin_ns(self) -> int:
        return time.monotonic_ns() - self.now_ns()

    def push(self, stream: str, data: Any) -> None:
        """A knob's new value. ValueError: no such knob, not a number, out of range, too many or too few of them."""
        spec = next((k for k in self.knobs if k.name == stream), None)
        if spec is None:
            raise ValueError(f'there is no knob "{stream}": {did_you_mean(stream, [k.name for k in self.knobs])}')
        kind: type[Kind] = self.graph.nodes[stream].kind
        data = kind.check(data)
        if isinstance(data, np.ndarray) and len(data) != len(spec.names):
            raise ValueError(f"{stream} has {len(spec.names)} knobs, and {len(data)} values came")
        low, high = spec.range
        if not low <= float(np.min(data)) <= float(np.max(data)) <= high:
            raise ValueError(f"{stream} goes from {low:g} to {high:g}, and {data!r:.60} was asked for")
        self.runner.push(stream, data)

    def value(self, stream: str) -> Any:
        frame = self.runner.latest(stream) if self.runner else None
        if frame is not None:
            return frame.data
        node = self.graph.nodes[stream]
        if isinstance(node, SourceNode) and node.initial is not None:
            return node.initial
        return node.kind.empty(node.size) if node.kind else None

    def report(self) -> dict[str, Any]:
        """The report of the command-line contract, so far."""
        return {
            "piece": self._loaded.name,
            **self.runner.report(),
            "glass_ms": self._stage.glass() if self._stage else None,
            "rss_mb": _rss_mb(),
            "cpu_s": round(time.process_time(), 2),
            "energy": {"grade": "E", "wh": None, "low_wh": None, "high_wh": None},
            "backends": {
                n.name: n.describe().get("backend", {}) for n in self.graph.nodes.values() if isinstance(n, ModelNode)
            },
            "notices": self.notices,
        }

    def swap(self, model: str, card: str) -> None:
        """Another card in a model's place: loaded beside, exchanged between two frames, written on the tape."""
        from ..models import load as load_model

        node = self._model_node(model)
        spec = self._loaded.manifest.models[model]
        options = {"size": spec.size} if spec.size else {}
        fresh = load_model(card, **options)
        for port in node._ports:
            if port not in fresh.ports:
                raise PieceFault(
                    f'{card} has no port "{port}", so it cannot take the place of {node.model.describe().get("card")}',
                    hint=did_you_mean(port, fresh.ports),
                )
        if fresh.kind is not node.kind:
            raise PieceFault(f"{card} publishes {fresh.kind.__name__}, and {model} carries {node.kind.__name__}")
        with self._swap_lock:
            fresh.open()
            detail = {"card": card, "model": fresh.describe(), "size": spec.size}
            self._wait(self.runner.change(model, "swap", detail, lambda: node.swap(fresh).close()))

    def picture(self, model: str, image: np.ndarray) -> None:
        """A picture of one's own as a style of `model`, from the next frame on."""
        node = self._model_node(model)
        port = self._picture_port(node)
        if port is None:
            raise PieceFault(f"{model} takes no picture of one's own")
        image = Image.check(image)
        detail = {"port": port, "codec": "qoi", "file": ""}
        if self.recorder is not None:
            from ..core.codec import encode

            detail["file"] = self.recorder.keep("style.qoi", encode(Image, image).blob) + ".qoi"

        def apply() -> None:
            node.constants[port] = image

        self._wait(self.runner.change(model, "constant", detail, apply))

    def _model_node(self, name: str) -> ModelNode:
        node = self.graph.nodes.get(name)
        if not isinstance(node, ModelNode):
            names = [m.name for m in self.models]
            raise PieceFault(f'there is no model "{name}"', hint=did_you_mean(name, names))
        return node

    @staticmethod
    def _wait(done: threading.Event) -> None:
        done.wait(10)

    # -- life --------------------------------------------------------------------------------------------------------

    def _build(self, loaded: assembly.Loaded) -> None:
        parts = assembly.MachineParts(loaded, sources=self._sources, live=True)
        graph = assembly.assemble(loaded, parts)
        self._loaded, self._parts, self.graph = loaded, parts, graph
        self.notices = list(parts.notices)

    def watch_with(self, stage: Any) -> None:
        """The stage that shows this piece: an observer like any other, that also knows the ages at the glass."""
        self._stage = stage
        self._observers.append(stage)

    def start(self) -> None:
        """Opens, loads and warms up everything; then the clock starts."""
        one_thread_each()
        self._bring_presets()
        if self._record is not None:
            files = tapes.tape_files(self._loaded, self.graph)
            self.recorder = Recorder(self._record, meta=tapes.tape_meta(self._loaded), files=files)
        self._start_runner()
        if self._watch:
            self._looking = threading.Thread(target=self._look_for_changes, name="pleinair:reload", daemon=True)
            self._looking.start()

    def _bring_presets(self) -> None:
        """A gallery piece comes with presets; they are the user's own from the first start on."""
        shipped = self._loaded.file.parent / "presets.json"
        if shipped.exists() and not self.presets_file.exists():
            try:
                self.presets_file.parent.mkdir(parents=True, exist_ok=True)
                self.presets_file.write_bytes(shipped.read_bytes())
            except OSError as error:
                self.notices.append({"name": "presets", "text": f"they could not be brought: {error.strerror}"})

    def _start_runner(self) -> None:
        observers = [*self._observers, *([self.recorder] if self.recorder else [])]
        self.runner = LiveRunner(self.graph, observers=observers)
        self.pages = self._page_cameras()
        self._stand_ins = [p for p in self.pages.values() if isinstance(p, _PageCamera)]
        if self._stop.is_set():
            return
        self.runner.start()  # comes back early when the end is asked for meanwhile
        if self._stop.is_set():
            return
        for page in self._stand_ins:
            page.start()
        try:
            drift = self._parts.save_lock(self.graph)
            self.notices += [{"name": "lock", "text": sentence} for sentence in drift]
        except OSError as error:
            self.notices.append({"name": "lock", "text": f"piece.lock could not be written: {error.strerror}"})

    def _page_cameras(self) -> dict[str, BrowserInput]:
        """Sources that a page's camera may feed: those that are `browser`, and those whose device is not there."""
        found = {}
        for node in self.graph.nodes.values():
            if isinstance(node, SourceNode) and node.source is not None and node.kind is Image:
                if hasattr(node.source, "deliver"):
                    found[node.name] = node.source
                elif node.name in self._parts.stood_in:
                    found[node.name] = _PageCamera(self.runner, node.name)
        return found

    def wait(self, seconds: float | None = None) -> bool:
        return self._stop.wait(seconds)

    def end(self) -> None:
        """Asks for the end, also of a start that is under way, and comes back at once. Another thread than a signal's:
        an Event that the interrupted code was just looking at is locked."""
        self._stop.set()
        if (runner := self.runner) is not None:
            runner.end()

    def stop(self) -> None:
        """Ends everything: no thread of the piece is left, the tape is whole."""
        self.end()
        free = self._life.acquire(timeout=END_S)  # a reload that loads a model is not waited for any longer
        try:
            for page in self._stand_ins:
                page.interrupt()
            if self.runner is not None:
                self.runner.stop()
            if self.recorder is not None:
                self.recorder.close()
        finally:
            if free:
                self._life.release()
        if self._looking is not None and self._looking is not threading.current_thread():
            self._looking.join(END_S)

    # -- hot reload ----------------------------------------------------------------------------------------------------

    def _look_for_changes(self) -> None:
        seen = _stamps(self._loaded.watched)
        while not self._stop.wait(LOOK_S):
            now = _stamps(self._loaded.watched)
            if now == seen:
                continue
            while not self._stop.wait(SETTLE_S) and (later := _stamps(self._loaded.watched)) != now:
                now = later  # still being written
            try:
                self.reload()
            except Exception as error:
                fault = error if isinstance(error, Fault) else Fault(f"piece.py cannot be taken over: {error}")
                fault.now = "the piece keeps running as it was before"
                self.runner.fault("piece.py", fault, 1)
            seen = {**_stamps(self._loaded.watched), **now}  # what was saved while this was taken over comes next
            seen = {file: seen[file] for file in self._loaded.watched}

    def reload(self) -> None:
        """Takes over piece.py and piece.toml as they are now. Raises Fault, and then nothing has changed."""
        with self._life:
            if not self._stop.is_set():
                self._take_over(assembly.load(self._loaded.file, self._site))

    def _take_over(self, loaded: assembly.Loaded) -> None:
        if loaded.texts == self._loaded.texts:
            return
        if loaded.toml == self._loaded.toml and loaded.piece.shapes() == self._loaded.piece.shapes():
            self._exchange_functions(loaded)
        else:
            self._rebuild(loaded)

    def _exchange_functions(self, loaded: assembly.Loaded) -> None:
        files = self.recorder.use(loaded.texts) if self.recorder is not None else {}
        for node in self.graph.nodes.values():
            if isinstance(node, FunctionNode):
                declared = loaded.piece.declared[node.name]
                self.runner.change(
                    node.name, "reload", {"files": files}, lambda n=node, d=declared: n.replace(d)
                )
        self._loaded = loaded

    def _rebuild(self, loaded: assembly.Loaded) -> None:
        """Declarations changed: another graph, behind the picture that the stage holds. Knobs keep their values."""
        parts = assembly.MachineParts(loaded, sources=self._sources, live=True)
        graph = assembly.assemble(loaded, parts)
        for node in graph.nodes.values():
            old = self.graph.nodes.get(node.name)
            if isinstance(node, SourceNode) and node.initial is not None and isinstance(old, SourceNode):
                before = self.value(node.name)
                low, high = loaded.piece.declared[node.name].range
                fits = np.shape(before) == np.shape(node.initial) and low <= np.min(before) <= np.max(before) <= high
                node.initial = before if fits else node.initial
        if self.recorder is not None:
            self.recorder.use(tapes.tape_files(loaded, graph))
        for page in self._stand_ins:
            page.interrupt()
        self.runner.stop()
        self._loaded, self._parts, self.graph, self.notices = loaded, parts, graph, list(parts.notices)
        self._start_runner()


class _PageCamera:
    """A page's camera in the place of a clip: decodes in a thread of its own and pushes into the stream."""

    def __init__(self, runner: LiveRunner, stream: str) -> None:
        from ..sources.browser import Browser

        self._runner, self._stream, self._browser = runner, stream, Browser()

    def deliver(self, raw: Raw, machine_ns: int) -> None:
        self._browser.deliver(raw, machine_ns)

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"pleinair:page:{self._stream}", daemon=True).start()

    def _run(self) -> None:
        self._browser.open()
        for capture in self._browser:
            self._runner.push(self._stream, capture.data, machine_ns=capture.machine_ns, raw=capture.raw)

    def interrupt(self) -> None:
        self._browser.interrupt()


def one_thread_each() -> None:
    """OpenCV's own thread pool would fight the model for the cores; its results do not depend on it."""
    import cv2

    cv2.setNumThreads(1)


def _stamps(files: list[Path]) -> dict[Path, tuple[int, int, int] | None]:
    stamps: dict[Path, tuple[int, int, int] | None] = {}
    for file in files:
        try:
            status = file.stat()
            stamps[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
        except OSError:
            stamps[file] = None
    return stamps


def _rss_mb() -> float | None:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
    except OSError:
        return None
