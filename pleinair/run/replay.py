"""Fires a tape again, event by event, and compares.

Nothing is decided here: which firing read which frames stands on the tape. So what threads skipped at random in the live
run is skipped in the replay too, and every published frame must come out the same, bit for bit.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ..core.codec import decode, encode
from ..core.errors import Fault, TapeFault
from ..core.frame import Frame, Span
from ..core.graph import Graph, Node, Role, SourceNode
from ..core.kinds import Control, Event, Vector
from ..core.observer import Observer, Observers
from .cell import Cell
from .tape import Chain, Line, Tape, line_of, shape_of


class Stagehand(Protocol):
    """What only the piece's own layer can do: build its graph, and put another card or function in place."""

    def build(self, tape: Tape, start: Line) -> Graph: ...

    def change(self, tape: Tape, graph: Graph, node: str, what: str, detail: dict[str, Any]) -> None: ...


@dataclass
class Result:
    """What came out. `first`: the first frame that differs, as a sentence; None where all are the same."""

    frames: int = 0
    identical: int = 0
    first: str | None = None
    differing: int = 0
    compared: bool = True
    streams: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    cancelled: int = 0
    changes: int = 0
    unproved: tuple[str, ...] = ()
    expected: list[Line] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return self.first is None and self.differing == 0

    def differ(self, sentence: str) -> None:
        self.differing += 1
        if self.first is None:
            self.first = sentence

    def as_dict(self) -> dict[str, Any]:
        return {
            "frames": self.frames, "identical": self.identical, "differing": self.differing, "first": self.first,
            "compared": self.compared, "streams": dict(self.streams), "faults": self.faults, "cancelled": self.cancelled,
            "changes": self.changes, "unproved": list(self.unproved),
        }  # fmt: skip


class Replay:
    """One pass over a tape.

    observers   see the frames come out (a film, a stage)
    watch       called with each event and the frame that it made, if any
    progress    called with (events done, events in all)
    """

    def __init__(
        self,
        tape: Tape,
        hand: Stagehand,
        *,
        observers: Iterable[Observer] = (),
        watch: Callable[[Line, Frame | None], None] | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.tape = tape
        self.result = Result()
        self._hand = hand
        self._observers = Observers(observers)
        self._watch = watch
        self._progress = progress
        self._graph: Graph | None = None
        self._segment = -1
        self._cells: dict[str, Cell] = {}
        self._frames: dict[tuple[str, int], Frame] = {}
        self._firings: dict[str, Iterator[Any] | Fault] = {}
        self._hots: dict[str, Frame] = {}
        self._given = set(tape.meta.get("cut", {}).get("streams", ()))
        self._unproved = set(tape.meta.get("cut", {}).get("unproved", ()))

    def run(self) -> Result:
        """Until the tape's end. Raises TapeFault where the tape itself is broken."""
        events = list(self.tape.events())
        last_use = self._last_uses(events)
        self._inputs = self.tape.inputs()
        expected, chain = self.tape.expected(), Chain()
        self.result.compared = expected is not None
        self.result.unproved = tuple(sorted(self._unproved))
        try:
            for number, (line, event) in enumerate(events):
                frame = self._step(event, last_use, number)
                chain.add(line)
                if event.get("e") == "emit" and frame is not None:
                    self._compare(event, frame, expected, chain)
                if self._watch:
                    self._watch(event, frame)
                self._forget(event, last_use, number)
                if self._progress and number % 64 == 0:
                    self._progress(number, len(events))
        finally:
            self._end_segment()
            self.tape.close()
        if expected and not self.result.differing:
            missing = len(expected) - self.result.frames
            if missing:
                self.result.differ(f"{missing} recorded frames did not come out: the tape's events were cut")
        if self._progress:
            self._progress(len(events), len(events))
        return self.result

    # -- one event

    def _step(self, event: Line, last_use: dict[Any, int], number: int) -> Frame | None:
        what = event.get("e")
        if what == "start":
            self._start(event)
            return None
        if self._graph is None:
            raise TapeFault("the tape does not begin with a start", where=str(self.tape.folder))
        try:
            if what == "in":
                return self._in(event, last_use)
            if what == "fire" and event["n"] in self._cells:
                self._fire(event)
            elif what == "emit" and event["s"] in self._cells:
                return self._emit(event)
            elif what == "done" and event["n"] in self._cells:
                self._done(event)
            elif what == "change" and event["n"] in self._cells:
                self._hand.change(self.tape, self._graph, event["n"], event["w"], event["d"])
                self.result.changes += 1
        except (KeyError, TypeError) as error:
            raise TapeFault(f"event {number + 1} of the tape cannot be followed: {error!r}", where=line_of(event)[:120]) from None
        return None

    def _start(self, event: Line) -> None:
        self._end_segment()
        self._segment += 1
        graph = self._graph = self._hand.build(self.tape, event)
        graph.seed = event["seed"]
        if (wiring := shape_of(graph)) != event["nodes"]:
            wrong = next((n for n in {**wiring, **event["nodes"]} if wiring.get(n) != event["nodes"].get(n)), "?")
            raise TapeFault(
                f'the piece is not the one on the tape: "{wrong}" is wired otherwise',
                hint="replay uses the piece kept in the tape; was it altered?",
            )
        for node in graph.order():
            if self._runs(node):
                self._cells[node.name] = Cell(node, graph)
                node.open()
                node.reset()
        self._observers.on_start(graph, None)

    def _runs(self, node: Node) -> bool:
        return node.role not in (Role.SOURCE, Role.SINK) and node.name not in self._given | self._unproved

    def _end_segment(self) -> None:
        for name in list(self._firings):
            self._close(name)
        if self._graph is not None:
            for node in self._graph.nodes.values():
                with contextlib.suppress(Exception):
                    node.close()
                    if isinstance(node, SourceNode) and node.source:
                        node.source.close()
        self._cells.clear()
        self._frames.clear()
        self._observers.on_stop()

    def _in(self, event: Line, last_use: dict[Any, int]) -> Frame | None:
        stream, seq = event["s"], event["q"]
        if (self._segment, stream, seq) not in last_use and not self._watch:
            return None  # no firing read it
        node = self._graph.nodes[stream]
        where = self._inputs.get((self._segment, stream, seq))
        if where is None:
            raise TapeFault(f"{stream} frame {seq} is missing from the tape", where=str(self.tape.folder))
        data = self._data(node, where)
        if node.kind.digest(data) != event["sha"]:
            self.result.differ(f"{stream} frame {seq} (t = {event['t'] / 1e9:.3f} s): the recorded input was altered")
        return self._keep(Frame(data, stream, seq, event["t"], None, (Span(stream, 0, 0, event["t"]),)))

    def _data(self, node: Node, where: Line) -> Any:
        if "v" in where:
            return node.kind.check(where["v"])
        raw = self.tape.raw(where)
        try:
            if raw.codec == "recall":
                source = node.source if isinstance(node, SourceNode) else None
                if source is None:
                    raise ValueError("no source to recall it from")
                return node.kind.check(source.recall(raw.note or {}))
            return node.kind.check(decode(raw))
        except Fault:
            raise
        except Exception as error:  # altered bytes: whatever a decoder says of them
            self.result.differ(f"{node.name} frame {where['q']}: the recorded input cannot be decoded: {error}")
            return node.kind.empty()

    def _fire(self, event: Line) -> None:
        name, cell = event["n"], self._cells[event["n"]]
        self._close(name)
        frames: list[Frame | None] = []
        for place, read in enumerate(event["i"]):
            stream, seq = read
            if seq < 0:
                frames.append(None)
            elif (frame := self._frames.get((stream, seq))) is None:
                raise TapeFault(f"{name} reads {stream} frame {seq}, which is not on the tape", where=line_of(event)[:120])
            elif stream != cell.node.inputs[place].stream:
                raise TapeFault(f"{name} does not read {stream}", where=line_of(event)[:120])
            else:
                frames.append(frame)
        hot = frames[event["h"]]
        if hot is None:
            raise TapeFault(f"{name} has no hot frame", where=line_of(event)[:120])
        whole = [f if f is not None else cell._nothing(cell.node.inputs[p], hot) for p, f in enumerate(frames)]
        self._hots[name] = hot
        try:
            self._firings[name] = cell.start(whole, event["h"])
        except Fault as fault:
            self._firings[name] = fault

    def _emit(self, event: Line) -> Frame | None:
        name, cell = event["s"], self._cells[event["s"]]
        item = self._pull(name)
        if isinstance(item, Fault) or item is None:
            why = f"stopped: {item.what}" if item is not None else "published nothing"
            self.result.differ(f"{name} frame {event['q']} (t = {event['t'] / 1e9:.3f} s) did not come: {name} {why}")
            return None
        hot = self._hots[name]
        frame = cell.frame(item, None, hot.t_ns)
        if (frame.seq, frame.t_ns) != (event["q"], event["t"]):
            self.result.differ(f"{name} frame {event['q']}: came as frame {frame.seq} at t = {frame.t:.3f} s")
            frame = Frame(item, name, event["q"], event["t"])
        return self._keep(Frame(frame.data, name, frame.seq, frame.t_ns, None, (Span(name, 0, 0, frame.t_ns),)))

    def _pull(self, name: str) -> Any:
        firing = self._firings.get(name)
        if firing is None or isinstance(firing, Fault):
            return firing
        try:
            return next(firing, None)
        except Fault as fault:
            self._firings[name] = fault
            return fault

    def _done(self, event: Line) -> None:
        name = event["n"]
        if event["x"]:
            self.result.cancelled += 1
        else:
            rest = self._pull(name)
            what = rest.what if isinstance(rest, Fault) else None
            if rest is not None and what is None:
                self.result.differ(f"{name} published more than the {event['c']} frames that it did")
            if what != event.get("f"):
                self.result.differ(
                    f"{name} {'stopped: ' + what if what else 'ran'}, and on the tape it "
                    f"{'stopped: ' + event['f'] if event.get('f') else 'ran'}"
                )
            self.result.faults += what is not None
        self._close(name)

    def _close(self, name: str) -> None:
        firing = self._firings.pop(name, None)
        close = getattr(firing, "close", None)
        if close:
            with contextlib.suppress(Exception):
                close()

    # -- frames

    def _keep(self, frame: Frame) -> Frame:
        self._frames[frame.stream, frame.seq] = frame
        self._observers.on_frame(frame)
        return frame

    def _compare(self, event: Line, frame: Frame, expected: Any, chain: Chain) -> None:
        result, kind = self.result, self._cells[frame.stream].kind
        found = chain.expected(self._segment, event, kind.digest(frame.data))
        result.frames += 1
        result.streams[frame.stream] += 1
        result.expected.append(found)
        if expected is None:
            return
        want = expected.get((self._segment, frame.stream, frame.seq))
        place = f"{frame.stream} frame {frame.seq} (t = {frame.t:.3f} s)"
        if want is None:
            result.differ(f"{place}: nothing was recorded to compare with")
        elif want["sha"] != found["sha"]:
            result.differ(f"{place}: another picture" if frame.stream in self._graph.screens.values() else f"{place} differs")
        elif want["c"] != found["c"]:
            result.differ(f"{place}: the events before it were altered")
        else:
            result.identical += 1

    @staticmethod
    def _last_uses(events: list[tuple[str, Line]]) -> dict[tuple[int, str, int], int]:
        segment, last = -1, {}
        for number, (_, event) in enumerate(events):
            if event.get("e") == "start":
                segment += 1
            elif event.get("e") == "fire":
                for read in event.get("i") or ():
                    if isinstance(read, list) and len(read) == 2:
                        last[segment, read[0], read[1]] = number
        return last

    def _forget(self, event: Line, last_use: dict[Any, int], number: int) -> None:
        if event.get("e") == "fire":
            for stream, seq in (r for r in event["i"] if r):
                if last_use.get((self._segment, stream, seq)) == number:
                    self._frames.pop((stream, seq), None)
        elif event.get("e") in ("in", "emit") and (self._segment, event["s"], event["q"]) not in last_use:
            self._frames.pop((event["s"], event["q"]), None)


def cut(tape: Tape, streams: Iterable[str], out: Path, hand: Stagehand, **options: Any) -> tuple[Result, tuple[str, ...]]:
    """A new tape that begins at `streams`: what they carried is stored, what they were made of is not. Returns what the
    replay found on the way, and the nodes that cannot be proved any more because they read what is gone."""
    import json

    streams = tuple(streams)
    writer: dict[str, Any] = {}
    out.mkdir(parents=True)
    (out / "inputs").mkdir()
    if (tape.folder / "piece").exists():
        import shutil

        shutil.copytree(tape.folder / "piece", out / "piece")
    chain, segment, gone = Chain(), -1, set()
    files = {n: (out / f"{n}.jsonl").open("w", encoding="utf-8") for n in ("events", "inputs", "expected")}

    def watch(event: Line, frame: Frame | None) -> None:
        nonlocal segment
        what, name = event["e"], event.get("s") or event.get("n")
        if what == "start":
            segment += 1
            gone.update(_gone(replay._graph, streams))
            event = {**event}
        elif name in gone or (name in streams and what != "emit"):
            return
        elif what == "in" or name in streams:
            kind = replay._graph.nodes[frame.stream].kind or replay._cells[frame.stream].kind
            event = {"e": "in", "s": frame.stream, "q": frame.seq, "t": frame.t_ns, "sha": kind.digest(frame.data)}
            where: Line = {"g": segment, "s": frame.stream, "q": frame.seq}
            if kind in (Control, Event, Vector):
                where["v"] = frame.data.tolist() if kind is Vector else frame.data
            else:
                raw = encode(kind, frame.data)
                blob = writer.get(frame.stream) or writer.setdefault(
                    frame.stream, (out / "inputs" / f"{frame.stream}.bin").open("wb")
                )
                where |= {"codec": raw.codec, "at": blob.tell(), "len": len(raw.blob), "note": raw.note}
                blob.write(raw.blob)
            files["inputs"].write(line_of(where) + "\n")
        line = line_of(event)
        files["events"].write(line + "\n")
        chain.add(line)
        if event["e"] == "emit" and frame is not None:
            digest = replay._cells[frame.stream].kind.digest(frame.data)
            files["expected"].write(line_of(chain.expected(segment, event, digest)) + "\n")

    replay = Replay(tape, hand, watch=watch, **options)
    result = replay.run()
    for file in (*files.values(), *writer.values()):
        file.close()
    unproved = tuple(sorted(gone))
    meta = {**tape.meta, "cut": {"streams": list(streams), "unproved": list(unproved)}}
    (out / "tape.json").write_text(json.dumps(meta, indent=1, sort_keys=True), "utf-8")
    return result, unproved


def _gone(graph: Graph, streams: tuple[str, ...]) -> set[str]:
    """Sources that the cut streams were made of, and every node that read them other than through the cut."""
    for stream in streams:
        if stream not in graph.nodes:
            from ..core.errors import did_you_mean

            raise TapeFault(f'there is no stream "{stream}" to cut at', hint=did_you_mean(stream, graph.nodes))
    before: set[str] = set()
    ahead = [i.stream for s in streams for i in graph.nodes[s].inputs]
    while ahead:
        name = ahead.pop()
        if name not in before and name not in streams:
            before.add(name)
            ahead.extend(i.stream for i in graph.nodes[name].inputs)
    gone = {n for n in before if graph.nodes[n].role is Role.SOURCE and graph.nodes[n].source is not None}
    grew = True
    while grew:
        reads = {n.name for n in graph.nodes.values() if any(i.stream in gone for i in n.inputs)} - set(streams)
        grew = not reads <= gone
        gone |= reads
    return gone
