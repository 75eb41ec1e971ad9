"""The stage over HTTP: the contract, whole; what is wrong gets four strings."""

import socket
import struct
import time
import zlib

import cv2
import numpy as np
import pytest

from pleinair.core.errors import ModelFault, StageFault
from pleinair.stage.server import Stage

from .fakes import ask, staged, until


def test_report_graph_and_knobs(stage):
    status, report, _ = ask(stage, "GET", "/api/report")
    assert status == 200
    assert {"piece", "seconds", "frames", "fps", "age_ms", "glass_ms", "nodes", "faults", "backends"} <= set(report)
    _, graph, _ = ask(stage, "GET", "/api/graph")
    assert [n["name"] for n in graph["nodes"]][-1] == "draw"
    assert graph["screens"] == {"main": "draw"}
    _, knobs, _ = ask(stage, "GET", "/api/knobs")
    assert knobs["knobs"][0] == {"name": "strength", "value": 0.8, "default": 0.8, "range": [0.0, 1.0], "names": []}
    assert len(knobs["knobs"][2]["value"]) == 26


def test_a_knob_is_set(stage):
    assert ask(stage, "PUT", "/api/knobs/strength", {"value": 0.4})[:2] == (200, {"name": "strength", "value": 0.4})
    assert stage.host.value("strength") == 0.4
    values = [i / 26 for i in range(26)]
    assert ask(stage, "PUT", "/api/knobs/styles", {"value": values})[0] == 200
    assert np.allclose(stage.host.value("styles"), values)
    assert ask(stage, "PUT", "/api/knobs/styles", {"value": 1, "index": 25})[0] == 200
    assert stage.host.value("styles")[25] == 1
    assert np.allclose(stage.host.value("styles")[:25], values[:25])


WRONG = [
    ("/api/knobs/strength", b'{"value": "0.4"}'),
    ("/api/knobs/strength", b'{"value": NaN}'),
    ("/api/knobs/strength", b'{"value": 1e400}'),
    ("/api/knobs/strength", b'{"value": -1e400}'),
    ("/api/knobs/strength", b'{"value": null}'),
    ("/api/knobs/strength", b'{"value": true}'),
    ("/api/knobs/strength", b'{"value": [0.4]}'),
    ("/api/knobs/strength", b'{"value": {}}'),
    ("/api/knobs/strength", b'{"value": 1.01}'),
    ("/api/knobs/strength", b'{"value": -0.01}'),
    ("/api/knobs/strength", b'{"value": 0.5, "index": 0}'),
    ("/api/knobs/strength", b"{}"),
    ("/api/knobs/strength", b"0.4"),
    ("/api/knobs/strength", b""),
    ("/api/knobs/strength", b"\xff\xfe"),
    ("/api/knobs/strength", b"[" * 60_000),
    ("/api/knobs/strength", b'{"value": 0.1}' + b" " * 70_000),
    ("/api/knobs/strength", b'{"value": 1' + b"0" * 5000 + b"}"),
    ("/api/knobs/strenght", b'{"value": 0.4}'),
    ("/api/knobs/" + "x" * 3000, b'{"value": 0.4}'),
    ("/api/knobs/%00", b'{"value": 0.4}'),
    ("/api/knobs/styles", b'{"value": 0.4}'),
    ("/api/knobs/styles", b'{"value": []}'),
    ("/api/knobs/styles", b'{"value": [' + b"0," * 26 + b"0]}"),
    ("/api/knobs/styles", b'{"value": 1, "index": 26}'),
    ("/api/knobs/styles", b'{"value": 1, "index": -1}'),
    ("/api/knobs/styles", b'{"value": 1, "index": "0"}'),
    ("/api/knobs/styles", b'{"value": [' + b"1e400," * 25 + b"0]}"),
    ("/api/presets/a", b'{"knobs": {"strength": "x"}}'),
    ("/api/presets/a", b'{"knobs": [1]}'),
    ("/api/presets/a", b'{"knobs": {"nothing": 1}}'),
    ("/api/presets/" + "n" * 65, b"{}"),
    ("/api/presets/%0a", b"{}"),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda case: f"{case[0][-20:]} {case[1][:24]!r}")
def test_wrong_values_get_a_sentence_and_change_nothing(stage, case):
    pushed = len(stage.host.pushed)
    status, said, _ = ask(stage, "PUT", case[0], case[1], {"Content-Type": "application/json"})
    assert 400 <= status < 500
    assert list(said) == ["what", "where", "now", "hint"]
    assert " " in said["what"]
    assert len(stage.host.pushed) == pushed
    assert not stage.host.presets_file.exists()


def test_a_misspelt_knob_is_guessed(stage):
    status, said, _ = ask(stage, "PUT", "/api/knobs/strenght", {"value": 0.4})
    assert status == 404
    assert said["hint"] == 'did you mean "strength"?'


def test_a_picture_is_taken_for_the_model_that_takes_pictures(stage):
    picture = np.random.default_rng(2).integers(0, 255, (90, 120, 3), np.uint8)
    for ending in (".jpg", ".png", ".webp", ".bmp"):
        blob = cv2.imencode(ending, picture)[1].tobytes()
        status, said, _ = ask(stage, "PUT", "/api/pictures/painting", blob, {"Content-Type": "image/x"})
        assert (status, said["model"]) == (200, "painting"), said
        assert stage.host.pictures[-1] == ("painting", (90, 120, 3))
    assert ask(stage, "PUT", "/api/pictures/muse", blob)[0] == 200  # there is only one that could be meant
    stage.host.models = []
    assert ask(stage, "PUT", "/api/pictures/painting", blob)[0] == 404


def _png(width, height):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"hello",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
        b"<html></html>",
        b"%PDF-1.7",
        b"GIF89a" + b"\0" * 40,
        b"\xff\xd8\xff" + b"\0" * 100,
        b"\xff\xd8\xff\xe0\x00\x00",
        b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 20,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 30,
        _png(60_000, 60_000),
        _png(16_000, 16_000),
        _png(0, 5),
        _png(300, 300)[:60],
        b"BM" + b"\0" * 60,
        b"\xff\xd8" + b"\xff" * 5000,
    ],
)
def test_what_is_no_picture_is_refused_before_it_is_decoded(stage, blob):
    status, said, _ = ask(stage, "PUT", "/api/pictures/painting", blob)
    assert status == 400, said
    assert list(said) == ["what", "where", "now", "hint"]
    assert not stage.host.pictures


def test_too_large_a_body_is_refused(stage):
    status, said, _ = ask(stage, "PUT", "/api/pictures/painting", b"\xff" * (33 * 1024 * 1024))
    assert status == 413
    assert said["what"] == "that is too large"


def test_a_model_is_swapped_and_a_fault_is_told(stage):
    assert ask(stage, "POST", "/api/models/painting/swap", {"card": "anystyle"})[0] == 200
    assert stage.host.swapped == [("painting", "anystyle")]
    status, said, _ = ask(stage, "POST", "/api/models/painting/swap", {"card": "anystlye"})
    assert (status, said["hint"]) == (404, 'did you mean "anystyle"?')
    assert ask(stage, "POST", "/api/models/x/swap", {"card": "anystyle"})[0] == 404

    def fails(model, card):
        raise ModelFault("the weights are not here", hint="pleinair fetch anystyle")

    stage.host.swap = fails
    status, said, _ = ask(stage, "POST", "/api/models/painting/swap", {"card": "anystyle"})
    assert (status, said["what"], said["hint"]) == (409, "the weights are not here", "pleinair fetch anystyle")


def test_health_and_metrics(stage):
    stage.stage.on_fault("draw", ModelFault('a "quoted"\nfault'), 1)
    status, said, _ = ask(stage, "GET", "/healthz")
    assert status == 200
    assert said["ok"]
    status, text, headers = ask(stage, "GET", "/metrics")
    assert headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    lines = text.decode().splitlines()
    assert lines[-1] == "# EOF"
    assert 'pleinair_node_skipped_total{node="painting"} 12' in lines
    assert 'pleinair_age_seconds{quantile="0.95"} 0.0099' in lines
    for line in lines:
        assert line.startswith("# ") or len(line.rsplit(" ", 1)) == 2


def test_what_is_not_there_is_four_strings_too(stage):
    status, said, _ = ask(stage, "GET", "/api/nothing")
    assert status == 404
    assert list(said) == ["what", "where", "now", "hint"]


def test_a_report_that_stumbles_leaves_the_stage_up(stage):
    stage.host.report = lambda: 1 / 0
    assert ask(stage, "GET", "/api/report")[0] == 500
    stage.host.report = lambda: {"age_ms": float("nan"), "faults": [ModelFault("x")], "n": np.float32(1)}
    status, said, _ = ask(stage, "GET", "/api/report")
    assert status == 200
    assert said["age_ms"] is None
    assert ask(stage, "GET", "/healthz")[0] == 200


def test_a_port_in_use_is_named(stage):
    port = int(stage.url.rsplit(":", 1)[1].strip("/"))
    with pytest.raises(StageFault) as caught:
        Stage(stage.host, port=port).start()
    assert str(port) in caught.value.what
    assert "--port 0" in caught.value.hint
    assert caught.value.now
    assert caught.value.where
    with pytest.raises(StageFault, match="cannot be used"):
        Stage(stage.host, port=70_000).start()


def test_the_stage_stops_within_a_second_and_can_begin_again_at_once(tmp_path):
    it = staged(tmp_path)
    port = int(it.url.rsplit(":", 1)[1].strip("/"))
    hangs = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]  # half a request each
    for each in hangs:
        each.sendall(b"GET / HTTP/1.1\r\nHost:")
    began = time.monotonic()
    it.stage.stop()
    assert time.monotonic() - began < 1.2
    assert not it.stage._thread.is_alive()
    it.stage.stop()
    again = staged(tmp_path, port=port)
    assert again.url == it.url
    again.stage.stop()
    for each in hangs:
        each.close()


def test_only_the_loopback_is_listened_on(stage):
    psutil = pytest.importorskip("psutil")
    port = int(stage.url.rsplit(":", 1)[1].strip("/"))
    found = until(lambda: [c.laddr.ip for c in psutil.Process().net_connections() if c.laddr and c.laddr.port == port])
    assert set(found) <= {"127.0.0.1", "::1"}
