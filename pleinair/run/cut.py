"""A tape out of a tape: beginning at a stream, so that what it was made of (a visitor's face) is not in it; or
beginning in the middle of the run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..core.errors import TapeFault, did_you_mean
from ..core.frame import Frame
from ..core.graph import Graph, Role
from .replay import Replay, Result, Stagehand
from .state import save_state
from .tape import Line, Tape, Writer


def cut(
    tape: Tape,
    streams: Iterable[str],
    out: Path,
    hand: Stagehand,
    *,
    from_s: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Result, tuple[str, ...]]:
    """A new tape that begins at `streams` (what they carried is stored, what they were made of is not), and at `from_s`
    seconds. Returns what the replay found on the way, and the nodes that cannot be proved any more because they read
    what is gone.

    Beginning in the middle, each node's last output and time are stored, and what its object says in `save()`. What a
    function remembers elsewhere (a global) is not: proving the new tape shows it.
    """
    cutter = _Cutter(tape, tuple(streams), out, int(from_s * 1e9))
    replay = Replay(tape, hand, before=cutter.before, after=cutter.after, progress=progress, every_input=True)
    cutter.replay = replay
    try:
        result = replay.run()
    except BaseException:
        cutter.writer.close(seal=False)
        raise
    cutter.writer.close(seal=tape.seal is not None)
    if from_s and not cutter.began:
        raise TapeFault(f"the tape ends before {from_s:g} s", where=str(tape.folder))
    return result, tuple(sorted(cutter.unproved))


class _Cutter:
    replay: Replay

    def __init__(self, tape: Tape, streams: tuple[str, ...], out: Path, from_ns: int) -> None:
        self._tape, self._streams, self._from_ns = tape, streams, from_ns
        about = {"streams": list(streams), "from_s": from_ns / 1e9}
        meta = {k: v for k, v in tape.meta.items() if k not in ("format", "version")}
        self.writer = Writer(out, {**meta, "cut": about})
        self.unproved: set[str] = set()
        self.began = False
        self._here = False  # whether this segment has begun in the new tape
        self._gone: set[str] = set()
        self._start: Line = {}
        self._base_ns = self._t_ns = 0
        self._changes: dict[tuple[str, str, str], Line] = {}
        self._wheres: dict[tuple[str, int], tuple[Line, Line]] = {}
        self._under_way: set[str] = set()
        self._to_restore: set[str] = set()

    # -- before an event is followed

    def before(self, event: Line) -> None:
        what = event["e"]
        if what == "start" or not self.replay.graph:
            return
        if not self._here and what == "in" and self._base_ns + event["t"] >= self._from_ns:
            self._begin()
        name = event.get("n")
        if self._here and what == "fire" and name in self._to_restore and name not in {*self._gone, *self._streams}:
            self._to_restore.discard(name)
            cell = self.replay.cells.get(name)
            if cell is not None and cell.firings:
                self.writer.event(save_state(cell, self.writer))

    def _begin(self) -> None:
        """The new tape's start: the wiring, what was changed so far, the frames that later firings still read."""
        self._here = self.began = True
        replay = self.replay
        unproved = sorted(self._gone)
        before = self._start.get("cut") or {"streams": [], "unproved": []}
        about = {
            "streams": sorted({*self._streams, *before["streams"]}),
            "unproved": sorted({*unproved, *before["unproved"]}),
        }
        self.writer.event({**self._start, "cut": about})
        self._under_way = set(replay.firings)
        self._to_restore = set(replay.cells) if self._from_ns else set()
        for event in self._changes.values():
            if event["n"] not in self._gone and event["n"] not in self._streams:
                self.writer.event(event)
        for key, frame in sorted(replay.frames.items(), key=lambda f: f[1].t_ns):
            if frame.stream in self._gone:
                continue
            if frame.stream in self._streams or key not in self._wheres:
                self._give(frame)
            else:
                event, where = self._wheres[key]
                self.writer.copy_input(event, where, None if "v" in where else self._tape.raw(where))

    # -- after it

    def after(self, event: Line, where: Line | None, frame: Frame | None) -> None:
        what = event["e"]
        if what == "start":
            self._next_segment(event)
            return
        if what in ("in", "emit"):
            self._t_ns = event["t"]
        if not self._here:
            self._remember(event, where)
            return
        name = event.get("s") or event.get("n")
        if name in self._gone:
            return
        if what == "in":
            if name in self._streams:
                self._give(frame)
            else:
                self.writer.copy_input(event, where, None if "v" in where else self._tape.raw(where))
        elif name in self._streams or name in self._under_way:
            if what == "emit" and frame is not None:
                self._give(frame)
            if what == "done":
                self._under_way.discard(name)
        elif what == "state":
            self._to_restore.discard(name)
            self.writer.event(save_state(self.replay.cells[name], self.writer))
        else:
            self.writer.event(self._kept(event) if what == "change" else event)
            if what == "emit" and frame is not None:
                self.writer.expected(event, self.replay.cells[name].kind.digest(frame.data))

    def _next_segment(self, event: Line) -> None:
        self._base_ns, self._t_ns = self._base_ns + self._t_ns, 0
        self._start, self._here = event, False
        self._gone = _gone(self.replay.graph, self._streams)
        self.unproved |= self._gone
        self._changes.clear()
        self._wheres.clear()
        for file in self._texts(event):
            self.writer.keep(file, self._tape.blob(file))
        if self._base_ns >= self._from_ns:
            self._begin()

    def _texts(self, event: Line) -> list[str]:
        """The kept files that an event speaks of."""
        if event["e"] == "start":
            return [f"{sha}{Path(name).suffix}" for name, sha in event["files"].items()]
        detail = event.get("d", {})
        named = [f"{sha}{Path(name).suffix}" for name, sha in (detail.get("files") or {}).items()]
        return [*named, *([detail["file"]] if detail.get("file") else [])]

    def _remember(self, event: Line, where: Line | None) -> None:
        what = event["e"]
        if what == "change":
            key = (event["n"], event["w"], str(event["d"].get("port", "")))
            self._changes.pop(key, None)
            self._changes[key] = self._kept(event)
        elif what == "in" and where is not None:
            self._wheres[event["s"], event["q"]] = (event, where)
            if len(self._wheres) > 4 * len(self.replay.frames) + 64:
                self._wheres = {k: w for k, w in self._wheres.items() if k in self.replay.frames}

    def _kept(self, event: Line) -> Line:
        for file in self._texts(event):
            self.writer.keep(file, self._tape.blob(file))
        return event

    def _give(self, frame: Frame) -> None:
        """A frame that was computed, as an input of the new tape."""
        kind = self.replay.graph.nodes[frame.stream].kind
        self.writer.input(frame, kind, None, k=kind.__name__)


def _gone(graph: Graph, streams: tuple[str, ...]) -> set[str]:
    """Sources that the cut streams were made of, and every node that read them other than through the cut."""
    for stream in streams:
        if stream not in graph.nodes:
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
        reads = {n.name for n in graph.nodes.values() if any(i.stream in gone and not i.cancels for i in n.inputs)}
        grew = not reads - set(streams) <= gone
        gone |= reads - set(streams)
    return gone
