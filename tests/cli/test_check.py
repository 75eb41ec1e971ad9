"""`check`: says what a piece is, and exits 1 where it would not run here or would not replay."""

from __future__ import annotations

import pytest

PASSES = 'piece.source("camera")\n@piece.draw\ndef draw(camera): return camera\n'


def test_the_gallery_piece_is_fine(home, call):
    got = call("check", "mirror")
    assert got.code == 0, got.said
    assert got.found["ok"] and got.found["findings"] == [] and got.found["fault"] is None
    assert got.found["run"]["nodes"]["draw"]["fired"] >= 25
    assert got.found["run"]["declared_ms"]["painting"] > 0
    assert {m["state"] for m in got.found["models"]} == {"whole"}
    assert "painting" in {n["name"] for n in got.found["graph"]["nodes"]}


def test_missing_weights_are_named_with_the_command_that_brings_them(empty_home, call):
    got = call("check", "mirror")
    assert got.code == 1
    assert "pleinair fetch multistyle26" in got.said
    assert {m["state"] for m in got.found["models"]} == {"missing"}


def test_a_flipped_byte_in_the_weights_is_found(home, call):
    blob = max((home / "store" / "sha256").glob("0a/*"))
    data = bytearray(blob.read_bytes())
    data[1000] ^= 1
    blob.chmod(0o600)
    blob.write_bytes(data)
    got = call("check", "mirror")
    assert got.code == 1
    assert {m["card"]: m["state"] for m in got.found["models"]}["multistyle26"] == "changed"


def test_what_breaks_a_replay_ends_with_1_and_stands_at_its_line(home, call, write_piece):
    piece = write_piece("import time\n" + PASSES.replace("return camera", "\n    time.time()\n    return camera"))
    got = call("check", piece)
    assert got.code == 1
    (finding,) = got.found["findings"]
    assert finding["rule"] == "time" and finding["line"] == 8 and "piece.py, line 8    time.time()" in got.said


def test_subtracted_pictures_are_a_warning_and_no_fault(home, call, write_piece):
    less = "draw(camera, previous): return camera - previous"
    got = call("check", write_piece(PASSES.replace("draw(camera): return camera", less)))
    assert got.code == 0, got.said
    assert [f["rule"] for f in got.found["findings"]] == ["pictures"]
    assert "subtract()" in got.said


def test_numbers_are_not_pictures(home, call, write_piece):
    text = 'piece.source("camera")\npiece.knob("a")\npiece.knob("b")\n@piece.node\ndef c(a, b): return max(0, a - b)\n'
    got = call("check", write_piece(text + "@piece.draw\ndef draw(camera, c): return camera"))
    assert got.code == 0 and got.found["findings"] == []


def test_a_misspelt_stream_is_said_at_its_line(home, call, write_piece):
    got = call("check", write_piece('piece.source("camera")\n@piece.draw\ndef draw(camra): return camra'))
    assert got.code == 1
    assert 'did you mean "camera"?' in got.said and "piece.py, line 6" in got.said
    assert got.found["fault"]["what"].startswith("draw reads")


def test_an_error_while_it_runs_is_a_fault_at_its_line(home, call, write_piece):
    got = call("check", write_piece(PASSES.replace("return camera", "return camera.colour")))
    assert got.code == 1
    assert "piece.py, line 6" in got.said and got.found["fault"]


def test_a_knob_that_comes_first_is_pointed_out(home, call, write_piece):
    text = 'piece.source("camera")\npiece.knob("k")\n@piece.draw\ndef draw(k, camera): return camera'
    got = call("check", write_piece(text))
    assert "runs only when the knob k moves" in got.said


def test_devices_are_stood_in_for_and_clips_are_played(home, call, write_piece):
    clip = '[source.camera]\ndevice = "clip:bigbuckbunny"\n'
    got = call("check", write_piece(PASSES, clip))
    (camera,) = (n for n in got.found["graph"]["nodes"] if n["name"] == "camera")
    assert camera["about"]["uri"] == "clip:bigbuckbunny" and got.found["run"]["nodes"]["camera"]["fired"] == 50
    got = call("check", write_piece(PASSES, '[source.camera]\ndevice = "webcam"\n', name="other"))
    (camera,) = (n for n in got.found["graph"]["nodes"] if n["name"] == "camera")
    assert camera["about"]["uri"].startswith("synthetic")


def test_nothing_goes_out_through_a_sink(home, call, write_piece, tmp_path):
    text = PASSES + 'piece.sink("film", reads="camera")\n'
    toml = f'[sink.film]\ndevice = "film:{tmp_path / "out.mp4"}"\n'
    got = call("check", write_piece(text, toml))
    assert got.code == 0 and got.found["run"]["nodes"]["film"]["fired"] >= 50
    assert not (tmp_path / "out.mp4").exists()
    got = call("check", write_piece(text, '[sink.film]\ndevice = "flim:x"\n', name="misspelt"))
    assert got.code == 1 and 'did you mean "film"?' in got.said


def test_the_gate_answers_for_each_card_and_for_the_piece(home, call):
    got = call("check", "mirror", "--use", "exhibit-paid", "--use", "sell-edition")
    assert got.code == 0, got.said
    assert {v["verdict"] for v in got.found["verdicts"].values()} == {"duties"}
    assert set(got.found["licences"]["multistyle26"]) == {"exhibit-paid", "sell-edition"}
    assert "Apache-2.0" in got.said and "x264 inside av" in got.said  # what wheels carry counts when it is handed over


@pytest.fixture
def nameless(write_piece):
    """A piece whose clip has no licence."""
    toml = 'uses = ["exhibit-free"]\n[source.camera]\ndevice = "clip:carphone"\n'
    return write_piece(PASSES, toml)


def test_a_use_that_is_refused_is_not_fine_and_says_why_and_what_to_do(home, call, nameless):
    got = call("check", nameless)
    assert got.code == 1
    assert got.found["verdicts"]["exhibit-free"]["verdict"] == "refuse"
    assert "carphone (the clip, no licence known)" in got.said and "--accept" in got.said


def test_an_override_is_signed_dated_kept_with_the_piece_and_shown(home, call, nameless):
    signed = "Ada Lovelace: the film-makers allowed it by letter"
    got = call("check", nameless, "--use", "exhibit-free", "--accept", signed)
    assert got.code == 0, got.said
    accepted = got.found["verdicts"]["exhibit-free"]["accepted"]
    assert accepted["name"] == "Ada Lovelace" and accepted["verdict"] == "refuse" and accepted["date"].startswith("20")
    assert "Ada Lovelace" in (nameless / "piece.lock").read_text("utf-8")
    again = call("check", nameless)
    assert again.code == 0 and "accepted by Ada Lovelace" in again.said
    assert again.found["verdicts"]["exhibit-free"]["verdict"] == "refuse"  # signed for, and still what it is
    assert call("check", nameless, "--use", "sell-edition").code == 1  # another use was not signed for


@pytest.mark.parametrize("signed", ["Ada Lovelace", ": because", "Ada:", "  :  "])
def test_an_override_without_a_name_or_a_reason_is_none(home, call, nameless, signed):
    got = call("check", nameless, "--use", "exhibit-free", "--accept", signed)
    assert got.code == 1 and "signed" in got.said and not (nameless / "piece.lock").exists()


def test_an_override_names_its_use(home, call, nameless):
    assert call("check", nameless, "--accept", "Ada: because").code == 2


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--use", "exibit-paid"], 'did you mean "exhibit-paid"?'),
        (["--film", "x.mp4", "--size", "large"], "--size 1280x720"),
        (["--size", "640x480"], "--film out.mp4"),
        (["--film", "x.mp4", "--model-size", "0x9"], "--model-size 1280x720"),
        (["--source", "camera"], "--source camera=file:clip.mp4"),
    ],
)
def test_a_wrong_call_exits_2(home, call, arguments, hint):
    got = call("check", "mirror", *arguments)
    assert got.code == 2 and hint in got.said
    assert got.found["fault"]["what"]


def test_a_source_that_the_piece_lacks(home, call):
    got = call("check", "mirror", "--source", "camra=synthetic")
    assert got.code == 1 and 'did you mean "camera"?' in got.said


def test_a_film_has_every_frame_at_the_size_asked_for(home, call, tmp_path):
    import av

    out = tmp_path / "mirror.mp4"
    how = ("--source", "camera=clip:bigbuckbunny", "--size", "320x180", "--for", "0.8")
    got = call("check", "mirror", "--film", out, *how)
    assert got.code == 0, got.said
    assert got.found["film"]["frames"] == 20
    with av.open(str(out)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == 20 and (frames[0].width, frames[0].height) == (320, 180)


def test_a_film_that_cannot_be_written_exits_1(home, call, tmp_path):
    got = call("check", "mirror", "--film", tmp_path / "no" / "x.mp4", "--source", "camera=synthetic", "--for", "0.2")
    assert got.code == 1 and got.found["fault"] is not None


def test_an_interrupt_is_no_stream_that_is_looked_at(home, call, write_piece):
    text = """
from pleinair import Event, Text
piece.source("camera")
piece.knob("k")

@piece.node
def stop(camera, frame) -> Event:
    return {} if frame.seq == 3 else None

@piece.node(interrupt="stop")
def words(camera, k) -> Text:
    yield "one"
    yield "two"

@piece.draw
def draw(camera, words): return camera
"""
    got = call("check", write_piece(text))
    assert got.code == 0, got.said
    (line,) = [line for line in got.said.splitlines() if line.split()[:1] == ["words"] and "interrupted" in line]
    assert "looks at k" in line and "interrupted by stop" in line and "looks at k, stop" not in line
