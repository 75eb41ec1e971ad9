"""The same model with a network in between: what a piece pays for a model that is elsewhere.

A real TCP connection over the loopback carries the pictures as JPEG, there and back. The far end is a thread that holds
each message back by half the round trip on its way in and on its way out (the two directions do not wait for each
other), runs the real model, and then sleeps `extra` longer, as a bigger model on a bigger machine would take.

`window` is how many pictures may be under way at once: with 1 the next is asked for when the last has come back, as
Transformirror did (10 fps became 5.7); with more the connection is kept full. In both cases the newest picture is sent,
and what comes back carries the capture time of the picture that it was made of, so that its age is its true age.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .core.clock import Clock
from .core.codec import decode, encode, encode_jpeg
from .core.frame import Frame
from .core.graph import Graph, Input, Moment, Node, Role, SourceNode
from .core.kinds import Image, Size
from .core.model import Model
from .core.source import Capture, Raw, Source
from .piece import ModelNode

QUALITY = 90


@dataclass(frozen=True)
class Network:
    """rtt_ms: round trip of the network alone; extra_ms: computing over there, over what the model takes here."""

    rtt_ms: float
    extra_ms: float = 0.0


class Slower(Model):
    """The model with `extra_ms` of computing more, here: the baseline that a network is compared with."""

    def __init__(self, model: Model, extra_ms: float) -> None:
        self._model, self._extra_s = model, extra_ms / 1e3
        self.ports, self.kind, self.size, self.names = model.ports, model.kind, model.size, model.names
        self.uses, self.interrupt = model.uses, model.interrupt

    def open(self) -> None:
        self._model.open()

    def __call__(self, *args: Any, **ports: Any) -> Any:
        result = self._model(*args, **ports)
        time.sleep(self._extra_s)
        return result

    def close(self) -> None:
        self._model.close()

    def describe(self) -> dict[str, Any]:
        return self._model.describe()


def move_away(graph: Graph, name: str, network: Network, window: int, clock: Clock) -> Graph:
    """The graph with the model `name` at the other end of a network. The stream keeps its name and its kind."""
    node = graph.nodes[name]
    assert isinstance(node, ModelNode)
    link = Link(node.model, node.constants, network, window, clock)
    nodes: dict[str, Node] = {}
    for known in graph.nodes.values():
        if known is not node:
            nodes[known.name] = known
            continue
        nodes[f"{name}_sent"] = _Sender(f"{name}_sent", node, link)
        nodes[name] = SourceNode(name, _Receiver(link, node.kind or Image), node.kind or Image, where=node.where)
    return Graph(nodes, graph.screens, graph.seed)


class Link:
    """Both ends of the connection."""

    def __init__(self, model: Model, constants: dict[str, Any], network: Network, window: int, clock: Clock) -> None:
        self.model, self.constants, self.clock = model, constants, clock
        self._half_s, self._extra_s = network.rtt_ms / 2e3, network.extra_ms / 1e3
        self._window, self._under_way, self._back = window, 0, threading.Condition()
        self._stop, self._opening = threading.Event(), threading.Lock()
        self.came: queue.SimpleQueue[tuple[int, Any] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def open(self) -> None:
        """Both nodes call it, each in its own thread."""
        with self._opening:
            if not self._sockets:
                self._open()

    def _open(self) -> None:
        self.model.open()
        with socket.create_server(("127.0.0.1", 0)) as server:
            near = socket.create_connection(server.getsockname())
            far, _ = server.accept()
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets = [near, far]
        arriving, leaving = _Delay(self._half_s), _Delay(self._half_s)
        for target, *args in (
            (self._hear, far, arriving), (self._work, arriving, leaving), (self._answer, leaving, far),
            (self._take, near),
        ):  # fmt: skip
            thread = threading.Thread(target=self._guarded, args=(target, *args), name="pleinair:cloud", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Nothing is sent any more, and whoever waits for what comes back waits no longer."""
        self._stop.set()
        with self._back:
            self._back.notify_all()
        self.came.put(None)

    def close(self) -> None:
        self.stop()
        for end in self._sockets:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join(2)
        self.model.close()

    def send(self, t_ns: int, ports: dict[str, Any]) -> None:
        """Sends a picture, and returns when the next may be sent: who comes then brings the newest there is."""
        with self._back:
            self._under_way += 1
        _write(self._sockets[0], t_ns, ports, self.model.size)
        with self._back:
            self._back.wait_for(lambda: self._stop.is_set() or self._under_way < self._window)

    # -- the near end's ear, and the far end

    def _guarded(self, target: Any, *args: Any) -> None:
        try:
            target(*args)
        except (OSError, EOFError):
            if not self._stop.is_set():
                raise

    def _take(self, near: socket.socket) -> None:
        while not self._stop.is_set():
            t_ns, ports = _read(near)
            with self._back:
                self._under_way -= 1
                self._back.notify_all()
            self.came.put((t_ns, ports["result"]))

    def _hear(self, far: socket.socket, arriving: _Delay) -> None:
        while not self._stop.is_set():
            arriving.put(_read(far))

    def _work(self, arriving: _Delay, leaving: _Delay) -> None:
        while not self._stop.is_set():
            item = arriving.get(self._stop)
            if item is None:
                return
            t_ns, ports = item
            result = self.model(**self.constants, **ports)
            self._stop.wait(self._extra_s)
            leaving.put((t_ns, {"result": result}))

    def _answer(self, leaving: _Delay, far: socket.socket) -> None:
        while not self._stop.is_set():
            item = leaving.get(self._stop)
            if item is None:
                return
            t_ns, result = item
            _write(far, t_ns, result, None)


class _Delay:
    """A queue from which each thing comes out a fixed time after it was put in, in order."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._items: deque[tuple[float, Any]] = deque()
        self._there = threading.Condition()

    def put(self, item: Any) -> None:
        with self._there:
            self._items.append((time.monotonic() + self._seconds, item))
            self._there.notify()

    def get(self, stop: threading.Event) -> Any:
        with self._there:
            while not self._items:
                if stop.is_set():
                    return None
                self._there.wait(0.2)
            due, item = self._items.popleft()
        return None if stop.wait(max(0.0, due - time.monotonic())) else item


class _Sender(Node):
    """Reads what the model read, and sends it."""

    role = Role.SINK

    def __init__(self, name: str, node: ModelNode, link: Link) -> None:
        inputs = [Input(i.stream, i.policy, hot=i.hot) for i in node.inputs]
        super().__init__(name, inputs, None, where=node.where)
        self._ports, self._link = list(node._ports), link

    def open(self) -> None:
        self._link.open()

    def fire(self, frames: Sequence[Frame], moment: Moment) -> None:
        with contextlib.suppress(OSError):  # the connection was closed at the end of the run
            self._link.send(moment.frame.t_ns, {p: f.data for p, f in zip(self._ports, frames, strict=True)})

    def close(self) -> None:
        self._link.close()


class _Receiver(Source):
    """What comes back, with the capture time that went with it."""

    def __init__(self, link: Link, kind: type[Any]) -> None:
        self._link, self.kind = link, kind

    def open(self) -> None:
        self._link.open()

    def __iter__(self) -> Iterator[Capture]:
        while (item := self._link.came.get()) is not None:
            t_ns, data = item
            yield Capture(data, machine_ns=t_ns - self._link.clock.from_machine(0))

    def interrupt(self) -> None:
        self._link.stop()


def _write(end: socket.socket, t_ns: int, ports: dict[str, Any], size: Size | None) -> None:
    """One message: capture time and each port's data, pictures as JPEG of `size` (the model's: no larger is needed)."""
    head, blobs = [], []
    for port, data in ports.items():
        if isinstance(data, np.ndarray) and data.ndim == 3:
            raw = Raw("jpeg", encode_jpeg(_fitted(data, size), QUALITY))
        else:
            raw = encode(_kind_of(data), data)
        head.append([port, raw.codec, raw.note, len(raw.blob)])
        blobs.append(raw.blob)
    text = json.dumps([t_ns, head]).encode()
    end.sendall(b"".join((struct.pack(">I", len(text)), text, *blobs)))


def _read(end: socket.socket) -> tuple[int, dict[str, Any]]:
    (length,) = struct.unpack(">I", _exactly(end, 4))
    t_ns, head = json.loads(_exactly(end, length))
    ports = {port: decode(Raw(codec, _exactly(end, size), note)) for port, codec, note, size in head}
    return t_ns, ports


def _exactly(end: socket.socket, count: int) -> bytes:
    parts, left = [], count
    while left:
        part = end.recv(min(left, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _fitted(picture: np.ndarray, size: Size | None) -> np.ndarray:
    import cv2

    if size is None or (picture.shape[1], picture.shape[0]) == tuple(size):
        return picture
    return cv2.resize(picture, tuple(size), interpolation=cv2.INTER_AREA)


def _kind_of(data: Any) -> Any:
    from .run.cell import kind_of

    return kind_of(data)
