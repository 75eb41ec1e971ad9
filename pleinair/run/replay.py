"""Fires a tape again, event by event, and compares.

Nothing is decided here: which firing read which frames stands on the tape. So what threads skipped at random in the
live run is skipped in the replay too, and every published frame must come out the same, bit for bit.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn, Protocol

from ..core.codec import decode
from ..core.errors import Fault, TapeFault
from ..core.frame import Frame, Span
from ..core.graph import Graph, Node, Role, SourceNode
from ..core.kinds import KINDS
from ..core.observer import Observer, Observers
from ..core.source import Raw
from .cell import PAUSE, Cell
from .result import Result
from .seal import check_seal
from .state import load_state
from .tape import Chain, Line, Lookup, Tape, line_of, shape_of, short_hash


class Stagehand(Protocol):
    """What only the piece's own layer can do: build its graph, and put another card or function in place."""

    def build(self, tape: Tape, start: Line) -> Graph: ...

    def change(self, tape: Tape, graph: Graph, node: str, what: str, detail: dict[str, Any]) -> None: ...


class _Ends(Exception):
    """A tape that was cut short has no more than this."""


class Replay:
    """One pass over a tape.

    observers    see the frames come out (a film, a stage)
    before       called with each event before it is followed
    after        called with each event, its line in inputs.jsonl (an `in`), and the frame that it made, if any
    progress     called with (events done, events in all)
    every_input  decode also what no firing read
    """

    def __init__(
        self,
        tape: Tape,
        hand: Stagehand,
        *,
        observers: Iterable[Observer] = (),
        before: Callable[[Line], None] | None = None,
        after: Callable[[Line, Line | None, Frame | None], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
        every_input: bool = False,
    ) -> None:
        self.tape = tape
        self.result = Result()
        self.graph: Graph | None = None
        self.segment = -1
        self.cells: dict[str, Cell] = {}
        self.frames: dict[tuple[str, int], Frame] = {}
        """Those that a later firing reads."""
        self.firings: dict[str, Iterator[Any] | Fault] = {}
        self._hand = hand
        self._observers = Observers(observers)
        self._before, self._after, self._progress = before, after, progress
        self._every_input = every_input
        self._opened: set[str] = set()
        self._hots: dict[str, Frame] = {}
        self._where: Line | None = None
        self._chain = Chain()
        self._last_use: dict[tuple[int, str, int], int] = {}
        self._inputs: Lookup
        self._expected: Lookup | None = None
        self._t_ns = 0

    def run(self) -> Result:
        """Until the tape's end. Raises TapeFault where the tape itself is broken, and ModelFault where a model that it
        needs is not there."""
        total = self._last_uses()
        self._inputs, self._expected = self.tape.inputs(), self.tape.expected()
        self.result.compared = self._expected is not None
        try:
            for number, (line, event) in enumerate(self.tape.events()):
                try:
                    self._follow(line, event, number)
                except _Ends:
                    break
                except Fault as fault:
                    if self.result.same:
                        raise
                    self.result.differ(fault.what)  # what is missing now is so because of what differed before
                    return self.result
                if self._progress and number % 64 == 0:
                    self._progress(number, total)
            self._check_end()
        finally:
            self._end_segment()
            self.tape.close()
        if self._progress:
            self._progress(total, total)
        return self.result

    def _follow(self, line: str, event: Line, number: int) -> None:
        self._where = None
        if self._before:
            self._before(event)
        try:
            frame = self._step(event)
        except (Fault, _Ends):
            raise
        except Exception as error:  # whatever an altered event leads to, it is said in a sentence
            raise self.tape.altered(
                f"event {number + 1} ({line_of(event)[:80]}) cannot be followed: {type(error).__name__}: {error}"
            ) from error
        self._chain.add(line)
        if event["e"] == "emit" and frame is not None:
            self._compare(event, frame)
        if self._after:
            self._after(event, self._where, frame)
        self._forget(event, number)

    def _check_end(self) -> None:
        """After the last event: whether that is all there was."""
        if self.tape.seal is None:
            self.result.cut_short = f"this tape was never closed; it is whole up to t = {self._t_ns / 1e9:.3f} s"
        else:
            check_seal(self.tape, self._chain, self._inputs, self._expected, self.result)

    # -- one event ---------------------------------------------------------------------------------------------------

    def _step(self, event: Line) -> Frame | None:
        what = event["e"]
        if what == "start":
            self._start(event)
            return None
        if self.graph is None:
            raise TapeFault("the tape does not begin with a start", where=str(self.tape.folder))
        if what in ("in", "emit"):
            self._t_ns = event["t"]
            if event["s"] not in self.graph.nodes:
                raise self.tape.altered(f"the piece has no stream {event['s']!r:.40}")
            if what == "in":
                return self._in(event)
        name = event.get("n", event.get("s"))
        if name not in self.cells:
            return None
        if what == "fire":
            self._fire(event)
        elif what == "emit":
            return self._emit(event)
        elif what == "pause":
            self._pause(name)
        elif what == "done":
            self._done(event)
        elif what == "change":
            self._hand.change(self.tape, self.graph, name, event["w"], event["d"])
            self.result.changes += 1
        elif what == "state":
            self._open(self.cells[name].node)
            load_state(self.cells[name], event, self.tape)
        return None

    def _start(self, event: Line) -> None:
        self._end_segment()
        self.segment += 1
        graph = self.graph = self._hand.build(self.tape, event)
        graph.seed = event["seed"]
        cut = event.get("cut") or {"streams": [], "unproved": []}
        self.result.unproved = tuple(sorted({*self.result.unproved, *cut["unproved"]}))
        if (wiring := shape_of(graph)) != event["nodes"]:
            wrong = next((n for n in {**wiring, **event["nodes"]} if wiring.get(n) != event["nodes"].get(n)), "?")
            raise TapeFault(
                f'the piece is not the one on the tape: "{wrong}" is wired otherwise',
                hint="replay uses the piece kept in the tape; was it altered?",
            )
        gone = {*cut["streams"], *cut["unproved"]}
        for node in graph.order():
            if node.role not in (Role.SOURCE, Role.SINK) and node.name not in gone:
                self.cells[node.name] = Cell(node, graph)
                self._check_weights(node, event["parts"].get(node.name) or {})
        self._observers.on_start(graph, None)

    def _check_weights(self, node: Node, was: Line) -> None:
        now = node.describe().get("sha256")
        if was.get("sha256") and now and now != was["sha256"]:
            self.result.differ(f"the weights of {node.name} are not those on the tape")

    def _open(self, node: Node) -> None:
        """At its first firing: what never ran need not be here."""
        if node.name not in self._opened:
            self._opened.add(node.name)
            node.open()
            node.reset()

    def _end_segment(self) -> None:
        for name in list(self.firings):
            self._close(name)
        if self.graph is not None:
            for node in self.graph.nodes.values():
                with contextlib.suppress(Exception):
                    node.close()
                    if isinstance(node, SourceNode) and node.source:
                        node.source.close()
            self._observers.on_stop()
        self.graph = None
        self._opened.clear()
        self.cells.clear()
        self.frames.clear()

    def _in(self, event: Line) -> Frame | None:
        stream, seq = event["s"], event["q"]
        place = f"{stream} frame {seq} (t = {event['t'] / 1e9:.3f} s)"
        found = self._inputs.get((self.segment, stream, seq))
        if found is None:
            self._missing(place)
        line, where = found
        self._where = where
        if short_hash(line) != event["w"]:
            self.result.differ(f"{place}: its line in inputs.jsonl was altered")
        raw = None
        if "v" not in where:
            raw = self.tape.raw(where)
            if raw is None or (self.tape.seal is None and self.tape.torn(where)):
                self._missing(place)
            if hashlib.sha256(raw.blob).hexdigest() != where["blob"]:
                self.result.differ(f"{place}: the recorded input was altered")
        read = (self.segment, stream, seq) in self._last_use
        if not read and not self._every_input:
            return None
        data = self._data(self.graph.nodes[stream], where, raw, place)
        frame = Frame(data, stream, seq, event["t"], None, (Span(stream, 0, 0, event["t"]),))
        kind = KINDS[where["k"]] if "k" in where else self.graph.nodes[stream].kind
        if kind.digest(data) != event["sha"]:
            self.result.differ(f"{place}: the recorded input is not what it was")
        self.frames[stream, seq] = frame
        self._observers.on_frame(frame)
        return frame

    def _missing(self, place: str) -> NoReturn:
        if self.tape.seal is None:
            raise _Ends
        raise TapeFault(f"{place} is missing from the tape", where=str(self.tape.folder))

    def _data(self, node: Node, where: Line, raw: Raw | None, place: str) -> Any:
        """What the frame held; the kind's empty value, and a difference, where that cannot be brought back."""
        if "k" in where:  # a stream that the tape was cut at
            node.kind = KINDS[where["k"]]
        kind = node.kind
        try:
            if raw is None:
                return kind.check(where["v"])
            if raw.codec == "recall":
                source = node.source if isinstance(node, SourceNode) else None
                if source is None:
                    raise ValueError("there is no source to recall it from")
                return kind.check(source.recall(raw.note or {}))
            return kind.check(decode(raw))
        except Exception as error:  # altered bytes, a clip that is gone: whatever is said of them
            what = error.what if isinstance(error, Fault) else error
            self.result.differ(f"{place}: the recorded input cannot be brought back: {what}")
            return kind.empty()

    def _fire(self, event: Line) -> None:
        name, cell = event["n"], self.cells[event["n"]]
        self._close(name)
        self._open(cell.node)
        frames: list[Frame | None] = []
        if len(event["i"]) != len(cell.node.inputs) or not 0 <= event["h"] < len(event["i"]):
            raise self.tape.altered(f"{name} reads {len(cell.node.inputs)} streams")
        for reads, read in zip(cell.node.inputs, event["i"], strict=True):
            stream, seq = read if read is not None else (reads.stream, -1)
            if stream != reads.stream:
                raise self.tape.altered(f"{name} does not read {stream!r:.40}")
            frame = self.frames.get((stream, seq)) if seq >= 0 else None
            if frame is None and seq >= 0:
                raise self.tape.altered(f"{name} reads {stream} frame {seq}, which is not on the tape")
            frames.append(frame)
        hot = frames[event["h"]]
        if hot is None:
            raise self.tape.altered(f"{name} has no hot frame")
        whole = [f if f is not None else cell.nothing(cell.node.inputs[p], hot) for p, f in enumerate(frames)]
        self._hots[name] = hot
        try:
            self.firings[name] = cell.start(whole, event["h"])
        except Fault as fault:
            self.firings[name] = fault

    def _emit(self, event: Line) -> Frame | None:
        name, cell = event["s"], self.cells[event["s"]]
        item = self._pull(name)
        if item is PAUSE or isinstance(item, Fault) or item is None:
            why = f"stopped: {item.what}" if isinstance(item, Fault) else "published nothing"
            self.result.differ(f"{name} frame {event['q']} (t = {event['t'] / 1e9:.3f} s) did not come: {name} {why}")
            return None
        frame = cell.frame(item, None, self._hots[name].t_ns, ())
        if (frame.seq, frame.t_ns) != (event["q"], event["t"]):
            self.result.differ(f"{name} frame {event['q']}: came as frame {frame.seq} at t = {frame.t:.3f} s")
        frame = Frame(item, name, event["q"], event["t"], None, (Span(name, 0, 0, event["t"]),))
        self.frames[name, frame.seq] = frame
        self._observers.on_frame(frame)
        return frame

    def _pause(self, name: str) -> None:
        """The tape says that the firing gave nothing here, and went on."""
        if self._pull(name) is not PAUSE:
            self.result.differ(f"{name} did not pause where it did on the tape")

    def _pull(self, name: str) -> Any:
        firing = self.firings.get(name)
        if firing is None or isinstance(firing, Fault):
            return firing
        try:
            return next(firing, None)
        except Fault as fault:
            self.firings[name] = fault
            return fault

    def _done(self, event: Line) -> None:
        name, was = event["n"], event["f"]
        if event["x"]:
            self.result.cancelled += 1
        else:
            rest = self._pull(name)
            what = rest.what if isinstance(rest, Fault) else None
            place = f"{name} at t = {self._hots[name].t:.3f} s" if name in self._hots else name
            if _words(what) != _words(was):
                here, there = (f"stopped ({w})" if w else "ran" for w in (what, was))
                self.result.differ(f"{place} {here}, and on the tape it {there}")
            elif rest is not None and what is None:
                self.result.differ(f"{place} published more than the {event['c']} frames that it did")
            self.result.faults += what is not None
        self._close(name)

    def _close(self, name: str) -> None:
        firing = self.firings.pop(name, None)
        close = getattr(firing, "close", None)
        if close:
            with contextlib.suppress(Exception):
                close()

    # -- frames ------------------------------------------------------------------------------------------------------

    def _compare(self, event: Line, frame: Frame) -> None:
        result, kind = self.result, self.cells[frame.stream].kind
        found = self._chain.expected(self.segment, event, kind.digest(frame.data))
        result.frames += 1
        result.streams[frame.stream] += 1
        if self._expected is None:
            result.expected.append(found)
            return
        want = self._expected.get((self.segment, frame.stream, frame.seq))
        place = f"{frame.stream} frame {frame.seq} (t = {frame.t:.3f} s)"
        if want is None:
            if self.tape.seal is None:
                result.uncompared += 1
            else:
                result.differ(f"{place}: nothing was recorded to compare with")
        elif want[1].get("sha") != found["sha"]:
            shown = frame.stream in self.graph.screens.values()
            result.differ(f"{place}: another picture" if shown else f"{place} differs")
        elif want[1].get("c") != found["c"]:
            result.differ(f"{place}: the events before it were altered")
        elif want[0] != line_of(found):
            result.differ(f"{place}: its line in expected.jsonl was altered")
        else:
            result.identical += 1

    def _last_uses(self) -> int:
        """Which firing is the last to read a frame; returns how many events there are."""
        segment, number = -1, -1
        for number, (_, event) in enumerate(self.tape.events()):
            if event["e"] == "start":
                segment += 1
            elif event["e"] == "fire":
                for read in event["i"]:
                    if isinstance(read, list) and len(read) == 2:
                        self._last_use[segment, *read] = number
        return number + 1

    def _forget(self, event: Line, number: int) -> None:
        if event["e"] == "fire":
            for stream, seq in (r for r in event["i"] if r):
                if self._last_use.get((self.segment, stream, seq)) == number:
                    self.frames.pop((stream, seq), None)
        elif event["e"] in ("in", "emit") and (self.segment, event["s"], event["q"]) not in self._last_use:
            self.frames.pop((event["s"], event["q"]), None)


def _words(what: str | None) -> str | None:
    """A fault's sentence without what differs from run to run: where in memory something lay."""
    return re.sub(r"0x[0-9a-fA-F]+", "0x", what) if what else what
