"""Wiring: what is refused, and in which order things are made."""

from __future__ import annotations

from pathlib import Path

import pytest

from pleinair.core.chance import chance
from pleinair.core.errors import Fault, PieceFault, at_line, did_you_mean
from pleinair.core.graph import Graph, Input, Node, Role, SourceNode
from pleinair.core.kinds import Audio, Control, Image, Mask, Text


class Effect(Node):
    def fire(self, frames, moment):
        return None


class End(Node):
    role = Role.SINK


def graph(*nodes: Node, **rest) -> Graph:
    return Graph({n.name: n for n in nodes}, **rest)


def source(name: str, kind=Image) -> SourceNode:
    return SourceNode(name, None, kind)


def effect(name: str, hot: str, *cold: str, same: tuple[str, ...] = (), kind=Image) -> Node:
    inputs = [Input(hot, hot=True), *(Input(c, policy="same" if c in same else None) for c in cold)]
    return Effect(name, inputs, kind, where=f"piece.py, line of {name}")


def test_a_misspelt_stream_is_refused_at_the_artists_line_with_what_was_meant():
    with pytest.raises(PieceFault) as caught:
        graph(source("camera"), effect("draw", "camra"))
    fault = caught.value
    assert fault.what == 'draw reads "camra", and no stream has that name'
    assert fault.where == "piece.py, line of draw" and "camera" in fault.hint and fault.now


def test_a_loop_of_hot_inputs_is_refused_with_its_path():
    with pytest.raises(PieceFault, match=r"without end: (a -> b -> c -> a|b -> c -> a -> b|c -> a -> b -> c)\n"):
        graph(effect("a", "c"), effect("b", "a"), effect("c", "b"))
    with pytest.raises(PieceFault, match="a -> a"):
        graph(effect("a", "a"))


def test_feedback_through_a_cold_input_is_allowed_and_waits_for_nothing_of_its_own():
    g = graph(source("tick", Control), effect("a", "tick", "b", kind=Mask), effect("b", "tick", "a", kind=Mask))
    assert g.feeds_back("a", "b") and g.feeds_back("b", "a") and not g.feeds_back("a", "tick")


def test_same_of_what_a_node_makes_itself_would_wait_for_ever_and_is_refused():
    with pytest.raises(PieceFault, match="same moment without end") as caught:
        graph(source("camera"), effect("a", "camera", "b", same=("b",)), effect("b", "a"))
    assert "comes after its moment" in caught.value.hint
    with pytest.raises(PieceFault, match="same moment without end"):
        graph(
            source("camera"), effect("a", "camera", "b", same=("b",)), effect("b", "camera", "a", same=("a",))
        )  # fmt: skip
    graph(source("camera"), effect("a", "camera", "b"), effect("b", "a"))  # looked at as it is: fine


def test_same_on_the_input_that_makes_it_run_is_refused():
    with pytest.raises(PieceFault, match="its own moment"):
        graph(source("camera"), Effect("a", [Input("camera", "same", hot=True)], Image))


def test_a_node_that_nothing_makes_run_is_refused():
    with pytest.raises(PieceFault, match="nothing would ever make it run"):
        graph(source("camera"), Effect("a", [Input("camera")], Image))


def test_nothing_comes_out_of_a_sink():
    with pytest.raises(PieceFault, match="sink") as caught:
        graph(source("camera"), End("out", [Input("camera", hot=True)]), effect("draw", "out"))
    assert "camera" in caught.value.hint


def test_a_screen_shows_a_stream_that_exists():
    with pytest.raises(PieceFault, match="no stream"):
        graph(source("camera"), screens={"main": "draw"})


def test_a_hot_input_comes_before_its_reader_in_order():
    g = graph(effect("d", "c", "a"), effect("c", "b"), effect("b", "a"), source("a"))
    names = [n.name for n in g.order()]
    assert names.index("a") < names.index("b") < names.index("c") < names.index("d") and len(names) == 4


def test_the_kind_gives_the_policy_the_reader_overrides_and_what_is_only_looked_at_is_the_newest():
    g = graph(source("camera"), source("mic", Audio), source("words", Text), effect("a", "mic", "camera", "words"))
    hot, camera, words = g.nodes["a"].inputs
    assert (g.policy(hot), g.policy(camera), g.policy(words)) == ("every", "latest", "latest")
    assert g.policy(Input("mic", "latest", hot=True)) == "latest"
    assert g.policy(Input("camera", "every", hot=True)) == "every"
    assert g.policy(Input("camera", "same")) == "same"


def test_who_descends_from_whom_and_whose_capture_times_a_stream_carries():
    g = graph(
        source("camera"), source("mic", Audio), effect("a", "camera", "mic"), effect("b", "a"), effect("c", "mic")
    )  # fmt: skip
    assert g.descends("b", "camera") and g.descends("b", "b") and not g.descends("b", "mic")
    assert g.beginnings("b") == {"camera"} and g.beginnings("c") == {"mic"} and g.beginnings("mic") == {"mic"}


def test_the_desks_drawing_holds_every_node_and_how_it_reads():
    g = graph(source("camera"), effect("draw", "camera"), screens={"main": "draw"}, seed=3)
    about = g.as_dict()
    assert about["seed"] == 3
    assert [n["name"] for n in about["nodes"]] == ["camera", "draw"]
    assert about["nodes"][1]["reads"] == [{"stream": "camera", "policy": "latest", "hot": True}]
    assert about["nodes"][1]["screens"] == ["main"]


# -- chance


def test_chance_depends_on_seed_node_and_frame_and_on_nothing_else():
    throw = lambda *key: chance(*key).integers(0, 2**62)  # noqa: E731
    assert throw(7, "rain", 4) == throw(7, "rain", 4)
    assert len({throw(7, "rain", 4), throw(8, "rain", 4), throw(7, "snow", 4), throw(7, "rain", 5)}) == 4


def test_chance_throws_the_same_on_every_machine():
    assert chance(7, "rain", 4).integers(0, 1000, 5).tolist() == [267, 100, 150, 755, 325]
    assert chance(-1, "rain", 0).integers(0, 1000) == chance(2**64 - 1, "rain", 0).integers(0, 1000)


# -- faults


def test_a_fault_is_four_strings_in_this_order():
    fault = Fault("hands stopped", where="piece.py, line 7", now="the piece keeps running", hint="pleinair fetch .")
    assert str(fault).split("\n") == [
        "hands stopped", "  piece.py, line 7", "  now    the piece keeps running", "  try    pleinair fetch ."
    ]  # fmt: skip
    assert str(Fault("only this")) == "only this"


def test_a_fault_survives_the_way_to_another_process():
    import pickle

    fault = pickle.loads(pickle.dumps(PieceFault("what", where="where", now="now", hint="hint")))
    assert type(fault) is PieceFault and fault.as_dict() == {
        "what": "what",
        "where": "where",
        "now": "now",
        "hint": "hint",
    }


def test_did_you_mean_names_the_nearest_or_what_there_is():
    assert did_you_mean("camra", ["camera", "mic"]) == 'did you mean "camera"?'
    assert did_you_mean("zzz", ["camera", "mic"]) == "there is: camera, mic"
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("zzz", [f"n{i:02}" for i in range(20)]).endswith("...")


def test_at_line_shows_the_line_and_keeps_it_short():
    assert at_line(__file__, 3).startswith("test_graph.py, line 3")
    lines = Path(__file__).read_text().splitlines()
    long = at_line(__file__, next(i for i, line in enumerate(lines, 1) if len(line) > 100))
    assert len(long) < 110
    assert at_line("/nowhere/piece.py", 5) == "piece.py, line 5"
