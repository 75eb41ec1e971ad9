"""A tape out of a tape: at a stream, so that nobody's face is on it, and in the middle of a run."""

from __future__ import annotations

import os

import numpy as np
import pytest

from pleinair import Control, Figure, Mask, Piece, Text, same
from pleinair.core.codec import encode
from pleinair.core.errors import TapeFault
from pleinair.core.kinds import Image, Landmarks
from pleinair.run.cut import cut
from pleinair.run.tape import Tape

from .parts import Clip, Parts, number_of
from .tapes import Again, attempt, record, replay


def faces():
    """A camera that must not be on the tape, and streams made of it."""
    piece = Piece()
    piece.source("camera")
    piece.source("tick")
    piece.knob("glow", 0.5)

    @piece.node
    def hands(camera) -> Landmarks:
        return [Figure([[number_of(camera) / 100, 0.5]], ["tip"], 1)]

    @piece.node
    def shadow(camera) -> Mask:
        return (camera[..., 0] > 3).astype(np.float32)

    piece.model("painting", reads="camera")

    @piece.draw(size=(8, 6))
    def light(tick, hands, previous, glow, rng) -> Mask:
        return np.clip(previous * 0.9 + hands.tip.x * glow + rng.random((6, 8), np.float32) * 0.1, 0, 1).astype(
            np.float32
        )

    @piece.draw(screen="left")
    def ghost(camera, hands):
        return camera

    @piece.draw(screen="right")
    def echo(ghost):
        return ghost

    @piece.node
    def free(tick) -> Control:
        return tick * 2

    @piece.draw(screen="wall")
    def painted(painting, shadow, glow):
        return (painting * shadow[..., None] * glow).astype(np.uint8)

    def make():
        secret = [(n / 30, np.random.default_rng(n).integers(0, 256, (6, 8, 3), np.uint8)) for n in range(30)]
        for n, (_, image) in enumerate(secret):
            image[0, 0] = 0, n, 7
        ticks = Clip(items=[(n / 20 + 0.001, n / 20) for n in range(20)], kind=Control)
        return piece.build(Parts(camera=Clip(items=secret), tick=ticks), seed=3)

    return make


@pytest.mark.parametrize("streams, unproved", [
    (["hands"], {"camera", "shadow", "painting", "ghost", "echo", "painted"}),
    (["hands", "shadow"], {"camera", "painting", "ghost", "echo", "painted"}),
    (["hands", "shadow", "painting"], {"camera", "ghost", "echo"}),
    (["light"], {"camera", "tick", "hands", "shadow", "painting", "ghost", "echo", "free", "painted"}),
    (["camera"], set()),
    (["glow"], set()),
    (["ghost", "painted", "hands"], {"camera", "shadow", "painting"}),
])  # fmt: skip
def test_a_tape_can_be_cut_at_any_stream(tmp_path, streams, unproved):
    make = faces()
    record(tmp_path / "t", make(), costs={"painting": 0.05})
    result, gone = cut(Tape(tmp_path / "t"), streams, tmp_path / "cut", Again(make))
    assert result.same and set(gone) == unproved
    again = replay(tmp_path / "cut", make)
    assert again.same and again.compared and set(again.unproved) == unproved and again.cut_short is None
    proved = set(make().nodes) - unproved - set(streams) - {"camera", "tick", "glow"}
    assert set(again.streams) == proved
    for name in proved:
        assert again.streams[name] == result.streams[name]


def test_no_byte_of_the_camera_is_in_the_cut_tape(tmp_path):
    make = faces()
    graph = make()
    pictures = [data for _, data in graph.nodes["camera"].source.items]
    record(tmp_path / "t", graph)
    cut(Tape(tmp_path / "t"), ["hands"], tmp_path / "cut", Again(make))
    kept = b"".join(p.read_bytes() for p in (tmp_path / "cut").rglob("*") if p.is_file())
    whole = b"".join(p.read_bytes() for p in (tmp_path / "t").rglob("*") if p.is_file())
    for image in pictures:
        blob, digest = encode(Image, image).blob, Image.digest(image)
        assert blob in whole and digest.encode() in whole
        assert blob not in kept and image.tobytes() not in kept and digest.encode() not in kept
    assert not (tmp_path / "cut" / "inputs" / "camera.bin").exists()


def test_a_cut_tape_is_sealed_and_an_altered_byte_of_it_is_found(tmp_path):
    make = faces()
    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), ["hands", "shadow"], tmp_path / "cut", Again(make))
    for name in ("inputs/hands.bin", "inputs/shadow.bin", "inputs.jsonl", "events.jsonl", "expected.jsonl"):
        path = tmp_path / "cut" / name
        blob = path.read_bytes()
        for at in (len(blob) // 3, len(blob) // 2, len(blob) - 2):
            path.write_bytes(blob[:at] + bytes([blob[at] ^ 4]) + blob[at + 1 :])
            assert attempt(tmp_path / "cut", make) is not None, name
        path.write_bytes(blob)


def test_a_cut_tape_can_be_cut_again(tmp_path):
    make = faces()
    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), ["hands", "shadow", "painting"], tmp_path / "one", Again(make))
    _, gone = cut(Tape(tmp_path / "one"), ["light"], tmp_path / "two", Again(make))
    again = replay(tmp_path / "two", make)
    assert again.same and "light" not in again.streams


def test_a_stream_that_does_not_exist_cannot_be_cut_at(tmp_path, whole):
    with pytest.raises(TapeFault, match="no stream") as caught:
        cut(Tape(whole[0]), ["hand"], tmp_path / "cut", Again(whole[1]))
    assert "hands" in caught.value.hint


class Memory:
    """A node with a state of its own that nothing else shows."""

    def __init__(self):
        self.seen, self.canvas = 0, np.zeros((6, 8), np.float32)

    def reset(self):
        self.seen, self.canvas = 0, np.zeros((6, 8), np.float32)

    def __call__(self, camera):
        self.seen += 1
        self.canvas = (self.canvas * np.float32(0.9) + camera[..., 1] / np.float32(2560)).astype(np.float32)
        return np.clip(self.canvas + self.seen / 1000, 0, 1)

    def save(self):
        return {"seen": self.seen, "canvas": self.canvas, "more": [np.int64(1), None, "x", (1.5, True)]}

    def load(self, state):
        assert state["more"] == [1, None, "x", [1.5, True]]
        self.seen, self.canvas = state["seen"], state["canvas"].copy()


def remembers(memory=Memory):
    def make():
        piece = Piece()
        piece.source("camera")
        piece.source("words")
        piece.knob("k", 0.1)
        piece.node(memory(), name="memory", kind=Mask)
        piece.model("painting", reads="camera")

        @piece.node
        def spoken(words, previous) -> Text:
            for n in range(8):
                yield f"{previous}{n}"

        @piece.draw
        def draw(painting, camera: same, memory, previous, dt, t, k, rng, spoken):
            return (
                painting * k + memory[..., None] * 99 + previous // 2 + rng.integers(9) + dt * 100 + len(spoken)
            ).astype(np.uint8)

        words = Clip(items=[(0.1, "a"), (0.9, "b")], kind=Text)
        return piece.build(Parts(camera=Clip(60), words=words), seed=5)

    return make


@pytest.mark.parametrize("from_s", [0.05, 0.31, 0.5, 1.0, 1.37, 1.9])
def test_a_tape_can_begin_in_the_middle_of_a_run(tmp_path, from_s):
    make = remembers()
    record(tmp_path / "t", make(), costs={"painting": 0.05, "spoken": 0.12, "draw": 0.02}, knobs=[(0.3, "k", 0.7)])
    result, gone = cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=from_s)
    assert result.same and not gone
    again = replay(tmp_path / "cut", make)
    assert again.same, again.first
    whole_draws = result.streams["draw"]
    assert 0 < again.streams["draw"] < whole_draws
    events = [e for _, e in Tape(tmp_path / "cut").events()]
    assert all(e["t"] >= from_s * 1e9 - 300e6 for e in events if e["e"] in ("in", "emit") and e["s"] == "camera")


def test_what_a_function_remembers_in_an_object_beside_it_is_kept_too(tmp_path):
    def make():
        memory = Memory()
        piece = Piece()
        piece.source("camera")

        @piece.draw
        def draw(camera) -> Mask:
            return memory(camera)

        return piece.build(Parts(camera=Clip(40)))

    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=0.5)
    result = replay(tmp_path / "cut", make)
    assert result.same and result.streams["draw"] == 25


def test_a_node_that_cannot_say_what_it_remembers_is_found_out_by_the_proof(tmp_path):
    class Forgets(Memory):
        save = load = None

    make = remembers(Forgets)
    record(tmp_path / "t", make())
    cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=1.0)
    result = replay(tmp_path / "cut", make)
    assert not result.same and result.first.startswith("memory frame")


def test_a_state_that_a_tape_cannot_keep_is_refused(tmp_path):
    class Odd(Memory):
        def save(self):
            return {"file": open(os.devnull)}

    make = remembers(Odd)
    record(tmp_path / "t", make())
    with pytest.raises(TapeFault, match="cannot keep"):
        cut(Tape(tmp_path / "t"), [], tmp_path / "cut", Again(make), from_s=1.0)


def test_a_tape_that_ends_before_cannot_begin_there(tmp_path, whole):
    with pytest.raises(TapeFault, match="ends before"):
        cut(Tape(whole[0]), [], tmp_path / "cut", Again(whole[1]), from_s=100)


def test_a_cut_in_the_middle_and_at_a_stream(tmp_path):
    make = faces()
    record(tmp_path / "t", make(), costs={"painting": 0.05, "light": 0.04})
    _, gone = cut(Tape(tmp_path / "t"), ["hands"], tmp_path / "cut", Again(make), from_s=0.4)
    again = replay(tmp_path / "cut", make)
    assert again.same and set(again.unproved) == set(gone) and again.streams["light"] > 3
    assert not (tmp_path / "cut" / "inputs" / "camera.bin").exists()
