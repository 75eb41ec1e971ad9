"""The artist's words: what they make, and that every slip is a sentence at the artist's own line."""

from __future__ import annotations

import functools
import linecache
import types

import numpy as np
import pytest

import pleinair
from pleinair import Control, Event, Mask, Piece, Text, every, latest, same
from pleinair.core.errors import Fault, PieceFault
from pleinair.core.kinds import Image
from pleinair.run.offline import OfflineRunner

from .run.parts import Clip, Invert, Log, Parts


def build(piece: Piece, **parts):
    return piece.build(Parts(**parts))


def written(text: str, name: str = "piece.py") -> Piece:
    """A piece as if it stood in a file, so that lines can be pointed at."""
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    module = types.ModuleType("piece")
    exec(compile(text, name, "exec"), module.__dict__)
    return module.piece


HEAD = "import numpy as np\nfrom pleinair import *\nfrom pleinair import Piece\npiece = Piece()\n"  # four lines


# -- what they make


def test_the_first_parameter_is_hot_the_others_are_cold_and_the_name_is_the_stream():
    piece = Piece()
    piece.source("camera")
    piece.knob("strength")

    @piece.draw
    def draw(camera, strength):
        return camera

    graph = build(piece)
    assert [(i.stream, i.hot) for i in graph.nodes["draw"].inputs] == [("camera", True), ("strength", False)]
    assert graph.screens == {"main": "draw"}


def test_policies_are_one_word_each():
    piece = Piece()
    for name in ("mic", "a", "b", "c"):
        piece.source(name)

    @piece.draw
    def draw(mic: every, a: same, b: latest, c):
        return a

    assert [i.policy for i in build(piece).nodes["draw"].inputs] == ["every", "same", "latest", None]


@pytest.mark.parametrize("line", [
    "def draw(camera, mask: same) -> Mask: return mask",
    "def draw(camera, mask: pleinair.same) -> pleinair.Mask: return mask",
    "def draw(camera, mask: s) -> M: return mask", 'def draw(camera, mask: "same") -> "Mask": return mask',
])  # fmt: skip
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_annotations_mean_the_same_in_every_spelling(line, future):
    text = (
        future
        + HEAD
        + "import pleinair\ns, M = same, Mask\npiece.source('camera')\npiece.source('mask')\n@piece.draw\n"
        + line
    )
    node = build(written(text)).nodes["draw"]
    assert node.inputs[1].policy == "same" and node.kind is Mask


@pytest.mark.parametrize(
    "annotation", ["Iterator[Text]", "Text | None", "Optional[Text]", "Generator[Text, None, None]"]
)
@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_a_nodes_kind_may_be_spelt_as_python_spells_it(annotation, future):
    text = f"{future}{HEAD}from typing import *\nfrom pleinair import Text\npiece.source('mic')\n"
    text += f"@piece.draw\ndef draw(mic) -> {annotation}: yield mic"
    assert build(written(text)).nodes["draw"].kind is Text


def test_reserved_parameters_are_no_streams_and_a_default_is_the_artists_own():
    piece = Piece()
    piece.source("camera")
    seen = {}

    @piece.draw
    def draw(camera, t, dt, rng, previous, frame, level=7):
        seen.update(t=t, dt=dt, frame=frame, level=level, previous=previous.shape, dice=rng.integers(9))
        return camera

    graph = build(piece, camera=Clip(2))
    assert [i.stream for i in graph.nodes["draw"].inputs] == ["camera"]
    OfflineRunner(graph).run()
    assert seen["t"] == pytest.approx(1 / 30) and seen["dt"] == pytest.approx(1 / 30) and seen["level"] == 7
    assert seen["previous"] == (6, 8, 3) and seen["frame"].seq == 1


def test_reads_joins_parameters_to_streams_of_other_names_with_a_policy():
    piece = Piece()
    piece.source("camera")
    piece.node(lambda picture, other=None: picture, name="calm", reads={"picture": "camera", "other": "camera: same"})
    piece.draw(lambda calm: calm)
    inputs = build(piece).nodes["calm"].inputs
    assert [(i.stream, i.policy, i.hot) for i in inputs] == [("camera", None, True), ("camera", "same", False)]


def test_a_reserved_name_can_be_a_stream_where_it_is_said():
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda t: t, reads={"t": "camera"})
    assert build(piece).nodes["draw"].inputs[0].stream == "camera"


def test_a_callable_object_is_opened_reset_closed_saved_and_loaded():
    class Trail:
        def __init__(self):
            self.calls = []

        def __call__(self, camera):
            self.calls.append("fire")
            return camera

        open, reset, close = (lambda self, what=what: self.calls.append(what) for what in ("open", "reset", "close"))

        def save(self):
            return {"n": 1}

        def load(self, state):
            self.calls.append(state)

    trail, piece = Trail(), Piece()
    piece.source("camera")
    piece.draw(trail)
    graph = build(piece, camera=Clip(1))
    OfflineRunner(graph).run()
    assert trail.calls == ["open", "reset", "fire", "close"]
    node = graph.nodes["trail"]
    assert node.save() == {"n": 1}
    node.load({"n": 2})
    assert trail.calls[-1] == {"n": 2}


def test_a_plain_function_has_no_state_to_save():
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    node = build(piece).nodes["draw"]
    assert node.save() is None
    node.load({"anything": 1})


def test_a_method_and_a_partial_are_nodes_too():
    class Box:
        def paint(self, camera):
            return camera

    piece = Piece()
    piece.source("camera")
    piece.node(Box().paint)
    piece.draw(functools.partial(lambda level, camera: camera, 5), name="draw")
    log = Log()
    OfflineRunner(build(piece, camera=Clip(2)), observers=[log]).run()
    assert len(log.frames("paint")) == len(log.frames("draw")) == 2


def test_several_screens_and_a_picture_for_each():
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera, name="front")
    piece.draw(lambda camera: camera, name="side", screen="left")
    assert build(piece).screens == {"main": "front", "left": "side"}


def test_a_generator_may_yield_none_and_returning_none_publishes_nothing():
    piece = Piece()
    piece.source("camera")

    @piece.node
    def words(camera) -> Text:
        yield None
        yield "a"
        yield None

    @piece.draw
    def draw(camera):
        return None

    log = Log()
    OfflineRunner(build(piece, camera=Clip(3)), observers=[log]).run()
    assert [f.data for f in log.frames("words")] == ["a"] * 3 and not log.frames("draw")


def test_a_node_of_knobs_alone_is_hot_on_all_of_them():
    piece = Piece()
    piece.knob("a")
    piece.knobs("b", ["x", "y"])
    piece.draw(lambda a, b: a)
    assert [i.hot for i in build(piece).nodes["draw"].inputs] == [True, True]


def test_a_models_ports_are_fed_by_name_and_the_first_is_hot():
    class Two(Invert):
        ports = {"image": Image, "level": Control}

        def __call__(self, image, level):
            return (image * level).astype(np.uint8)

    piece = Piece()
    piece.source("camera")
    piece.knob("k", 0.5)
    piece.model("painting", reads={"image": "camera", "level": "k"})
    piece.draw(lambda painting: painting)
    graph = build(piece, camera=Clip(2), painting=Two())
    assert [(i.stream, i.hot) for i in graph.nodes["painting"].inputs] == [("camera", True), ("k", False)]
    OfflineRunner(graph).run()


def test_a_graph_can_be_built_twice_from_one_piece():
    piece = Piece()
    piece.source("camera")
    piece.draw(lambda camera: camera)
    one, two = build(piece, camera=Clip(3)), build(piece, camera=Clip(3))
    OfflineRunner(one).run()
    OfflineRunner(two).run()
    assert two.nodes["draw"].kind is Image


# -- slips


@pytest.mark.parametrize("text, says, line, hint", [
    ("piece.source('camera')\npiece.draw(lambda camra: camra)", '"camra"', 6, "camera"),
    ("piece.source('camera')\n@piece.draw\ndef draw(camera, strenght): return camera\npiece.knob('strength')",
    '"strenght"', 7, "strength"), ("piece.source('a b')", "'a b'", 5, "a word"),
    ("piece.source('class')", "'class'", 5, "a word"),
    ("piece.source('t')", "'t'", 5, "not one of"), ("piece.source(5)", "5", 5, "a word"),
    ("piece.source('a')\npiece.knob('a')", "there twice", 6, "line 5"),
    ("piece.knob('k', 2)", "its range is", 5, ""), ("piece.knob('k', 0.5, range=(1, 0))", "range", 5, ""),
    ("piece.knob('k', 'high')", "starts at high", 5, ""), ("piece.knob('k', float('nan'))", "starts at nan", 5, ""),
    ("piece.knob('k', range=(0, float('inf')))", "range", 5, ""), ("piece.knob('k', range=5)", "range", 5, ""),
    ("piece.knob('k', True)", "starts at True", 5, ""),
    ("piece.knobs('k', 0)", "how many", 5, ""), ("piece.knobs('k', 'abc')", "how many", 5, ""),
    ("piece.knobs('k', 3, [1, 2])", "3 knobs and 2", 5, ""), ("piece.knobs('k', 2, 5)", "starts at 5", 5, ""),
    ("piece.knobs('k', ['a', 'a'])", "same name", 5, ""), ("piece.knobs('k', True)", "how many", 5, ""),
    ("piece.model('m', reads=None)", "reads a stream", 5, "reads="),
    ("piece.model('m', reads={})", "reads a stream", 5, ""),
    ("piece.model('m', reads={'image': 5})", "reads a stream", 5, ""),
    ("piece.draw(5)", "not a function", 5, ""), ("piece.node(dict)", "is a class", 5, "piece.node(dict(...)"),
    ("piece.draw(max)", "does not say", 5, "def max"),
    ("@piece.draw\nasync def draw(camera): return camera", "async", 6, "def instead"),
    ("@piece.draw\ndef draw(*cameras): return 1", "*cameras", 6, ""),
    ("@piece.draw\ndef draw(camera, /): return 1", "behind a /", 6, ""),
    ("@piece.draw\ndef draw(): return 1", "reads no stream", 6, "tick"),
    ("@piece.draw\ndef draw(t, rng): return 1", "reads no stream", 6, "tick"),
    ("@piece.draw\ndef draw(camera) -> int: return 1", "-> int", 6, "Image"),
    ("@piece.draw(reads={'camra': 'x'})\ndef draw(camera): return 1", "no parameter camra", 6, "camera"),
    ("@piece.draw(reads={'camera': 5})\ndef draw(camera): return 1", "by their names", 6, ""),
    ("@piece.draw(reads={'camera': 'x: sane'})\ndef draw(camera): return 1", '"sane"', 6, "same"),
    ("@piece.draw(size=(1,))\ndef draw(camera): return 1", "(width, height)", 6, ""),
    ("@piece.draw(kind='Mask?')\ndef draw(camera): return 1", "Mask?", 6, "Mask"),
    ("@piece.draw\ndef draw(camera): return 1\n@piece.draw\ndef other(camera): return 1", '"main"', 8, "screen="),
    ("piece.source('camera')\n@piece.draw\ndef draw(camera: same): return 1", "its own moment", 7, "first parameter"),
    ("piece.source('camera')\n@piece.node\ndef a(b): return 1\n@piece.draw\ndef b(a): return 1", "without end", 7,
    "feedback"),
    (
        "piece.source('camera')\n@piece.draw(interrupt='voise')\ndef draw(camera): yield 1\npiece.source('voice')",
        '"voise"', 7, "voice",
    ),
    (
        "piece.source('camera')\npiece.sink('speaker', reads='camera')\npiece.draw(lambda speaker: 1)",
        "is a sink", 7, "camera",
    ),
])  # fmt: skip
def test_every_slip_is_a_sentence_at_its_line(text, says, line, hint):
    with pytest.raises(PieceFault) as caught:
        build(written(HEAD + text))
    fault = caught.value
    assert says in fault.what and "\n" not in fault.what
    assert fault.where.startswith(f"piece.py, line {line}  "), fault.where
    assert hint in fault.hint


@pytest.mark.parametrize("word", ["sane", "lastest", "evry"])
def test_a_misspelt_policy_is_found_also_where_annotations_are_text(word):
    text = (
        "from __future__ import annotations\n"
        + HEAD
        + f"piece.source('a')\n@piece.draw\ndef draw(a, b: {word}): return 1"
    )
    with pytest.raises(PieceFault, match="means nothing") as caught:
        written(text)
    assert "did you mean" in caught.value.hint and "line 8" in caught.value.where


def test_a_piece_that_shows_nothing_says_how_a_piece_ends():
    piece = Piece()
    piece.source("camera")
    with pytest.raises(PieceFault, match="nothing is shown") as caught:
        build(piece)
    assert "@piece.draw" in caught.value.hint


def test_a_port_that_a_model_does_not_have_is_named():
    piece = Piece()
    piece.source("camera")
    piece.model("painting", reads={"imgae": "camera"})
    piece.draw(lambda painting: painting)
    with pytest.raises(PieceFault, match='no port "imgae"') as caught:
        build(piece)
    assert "image" in caught.value.hint


def test_likely_slips_are_warned_of():
    piece = written(
        HEAD
        + """
piece.source("camera")
piece.source("mic")
piece.knob("strength")

@piece.draw
def draw(strength, camera): return camera

@piece.node
def own(camera, strength=0.5): return camera

@piece.node
def looks(camera, mic: every): return camera

@piece.node
def fine(camera, strength): return camera
"""
    )
    knob_first, default, cold_every = piece.warnings()
    assert (
        "runs only when the knob strength moves" in knob_first
        and "line 11" in knob_first
        and "draw(camera, ...)" in knob_first
    )
    assert "strength of its own" in default and "line 14" in default
    assert "only looks at mic" in cold_every and "line 17" in cold_every


def test_shapes_tell_what_a_function_does_from_how_it_is_wired():
    def shapes(line: str) -> list:
        return written(HEAD + "piece.source('camera')\npiece.knob('k')\n@piece.draw\n" + line).shapes()

    same_wiring = shapes("def draw(camera, k): return camera")
    assert shapes("def draw(camera, k): return camera // 2") == same_wiring
    assert shapes("def draw(camera, k, t): return camera") == same_wiring, "a reserved word needs no other graph"
    for other in (
        "def draw(k, camera): return camera",
        "def draw(camera): return camera",
        "def draw(camera, k) -> Mask: return 1",
    ):
        assert shapes(other) != same_wiring


def test_the_vocabulary_is_whole():
    for word in pleinair.__all__:
        assert getattr(pleinair, word) is not None
    with pytest.raises(AttributeError, match="no word"):
        pleinair.no_such_word  # noqa: B018
    assert Event is pleinair.Event and issubclass(PieceFault, Fault)


def test_a_star_brings_the_whole_vocabulary():
    names: dict = {}
    exec("from pleinair import *", names)
    assert {"blend", "resize", "caption", "Piece", "load", "same"} <= set(names)
    assert names["blend"] is pleinair.blend
