"""`models` and `fetch`: the shelf, the store, and what is wrong with them."""

from __future__ import annotations

import hashlib

import pytest

from pleinair.models import store
from pleinair.models.card import find_card


def blob_of(card: str):
    return store.path_of(next(iter(find_card(card).files.values())).sha256)


def flip(path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


def test_list_says_what_is_fetched(home, call):
    got = call("models", "list")
    assert got.code == 0
    models = {m["name"]: m for m in got.found["models"]}
    assert models["multistyle26"]["fetched"] and models["multistyle26"]["licence"] == "Apache-2.0"
    assert "multistyle26" in got.said


def test_a_card_that_cannot_be_read_does_not_hide_the_others(home, call):
    (home / "cards").mkdir()
    (home / "cards" / "broken.toml").write_text("name = ")
    got = call("models", "list")
    assert got.code == 1 and got.found["broken"][0]["name"] == "broken"
    assert any(m["name"] == "multistyle26" for m in got.found["models"])


def test_show_prints_the_papers_and_has_a_verdict_for_each_use(home, call):
    got = call("models", "show", "multistyle26", "--use", "exhibit-paid")
    assert got.code == 0
    assert "Dumoulin" in got.said and "Apache-2.0" in got.said and "METADATA" in got.said
    assert got.found["verdicts"]["exhibit-paid"]["verdict"] == "allow"
    assert any("Apache-2.0" in sentence for sentence in got.found["verdicts"]["exhibit-paid"]["because"])
    assert "not named by anybody whom we read" in got.said, "an answer that does not speak of the data says so"
    assert not any("learnt from  " in call("models", "show", name).said for name in ("imagine", "flow", "bikes"))
    got = call("models", "show", "bikes")
    assert {v["verdict"] for v in got.found["verdicts"].values()} == {"refuse"} and len(got.found["verdicts"]) == 8


@pytest.mark.parametrize(
    ("arguments", "code", "hint"),
    [
        (["show", "multistyle"], 1, 'did you mean "multistyle26"?'),
        (["show", "multistyle26", "--use", "sell"], 2, "sell-outputs"),
        (["add", "no-such.onnx"], 1, "no-such.onnx"),
        ([], 2, "usage"),
    ],
)
def test_wrong_calls(home, call, arguments, code, hint):
    got = call("models", *arguments, json_too=bool(arguments))
    assert got.code == code and hint in got.said


def test_verify_names_the_file_of_a_flipped_byte_and_fetch_mends_it(home, call):
    assert call("models", "verify").found["ok"]
    flip(blob_of("multistyle26"))
    got = call("models", "verify")
    assert got.code == 1
    assert "multistyle26.onnx of multistyle26" in got.said and "pleinair fetch multistyle26" in got.said
    assert [f["card"] for f in got.found["files"] if f["state"] == "changed"] == ["multistyle26"]
    assert call("fetch", "multistyle26").code == 0
    assert call("models", "verify").code == 0


def test_prune_takes_only_what_no_card_names_and_only_when_told(home, call, tmp_path):
    stray = tmp_path / "stray.bin"
    stray.write_bytes(b"nobody's" * 100)
    sha256, _ = store.adopt(stray)
    got = call("models", "prune")
    assert got.code == 0 and got.found["found"] == [sha256] and got.found["removed"] == []
    assert store.path_of(sha256).exists()
    got = call("models", "prune", "--yes")
    assert got.found["removed"] == [sha256] and not store.path_of(sha256).exists()
    assert blob_of("multistyle26").exists()
    assert "nothing to remove" in call("models", "prune").said


def test_a_file_of_one_s_own_becomes_a_card_that_loads(home, call, tmp_path):
    import numpy as np

    from pleinair import load

    mine = tmp_path / "my painter.onnx"
    mine.write_bytes(blob_of("multistyle26").read_bytes())
    got = call("models", "add", mine, "--licence", "CC0-1.0")
    assert got.code == 0, got.said
    assert got.found["name"] == "my-painter" and got.found["weights"]["licence"] == "CC0-1.0"
    picture = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
    style = [1.0, *[0.0] * 25]
    mine_paints = load("my-painter", backend="onnx", precision="f32", threads=1)(picture, style_weights=style)
    theirs = load("multistyle26", backend="onnx", precision="f32", threads=1)(picture, style_weights=style)
    assert (mine_paints == theirs).all()
    again = call("models", "add", mine)
    assert again.code == 0 and "my-painter is that already" in again.said
    mine.write_bytes(blob_of("anystyle").read_bytes())
    other = call("models", "add", mine)
    assert other.code == 1 and "my-painter-2" in other.said


def test_a_file_that_fits_no_task_is_refused_and_nothing_is_written(home, call, tmp_path):
    junk = tmp_path / "junk.onnx"
    junk.write_bytes(b"not a network")
    got = call("models", "add", junk)
    assert got.code == 1 and got.found["fault"]
    assert not list((home / "cards").glob("*")) if (home / "cards").exists() else True


@pytest.fixture
def decided(monkeypatch):
    """Nothing is measured: that takes seconds, and a test of its own."""
    from pleinair.models import choose

    choice = choose.Choice("onnx", "1", "f32", (64, 64), 1, "x86_64")
    monkeypatch.setattr(choose, "decide", lambda *a, **k: choice)


def test_fetch_of_a_piece_names_each_card_with_licence_and_size(home, call, decided):
    got = call("fetch", "mirror")
    assert got.code == 0 and "there already" in got.said
    assert {c["name"] for c in got.found["cards"]} >= {"multistyle26", "bigbuckbunny"}
    assert all(f["how"] == "there already" for f in got.found["files"])
    assert "Apache-2.0" in got.said and "CC-BY-3.0" in got.said


def test_fetch_says_which_place_did_not_give_a_file(home, call, tmp_path):
    blob = blob_of("multistyle26").read_bytes()
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine.onnx").write_bytes(blob)
    card = find_card("multistyle26").files["network"]
    (folder / "card.toml").write_text(
        'task = "stylise"\n[files.network]\nname = "mine.onnx"\nfrom = ["file:gone.onnx", "file:mine.onnx"]\n'
        f'sha256 = "{card.sha256}"\nbytes = {card.bytes}\n'
    )
    store.discard(card.sha256)
    got = call("fetch", folder)
    assert got.code == 0 and got.found["files"][0]["how"] == "file:mine.onnx"
    assert "mine.onnx came from file:mine.onnx, since file:gone.onnx: mine: there is no file gone.onnx" in got.said


def test_fetch_of_cards_by_name_and_of_what_there_is_not(home, call):
    assert call("fetch", "multistyle26", "bigbuckbunny").code == 0
    got = call("fetch", "miror")
    assert got.code == 1 and 'did you mean "mirror"?' in got.said
    assert call("fetch", json_too=False).code == 2


def test_fetch_reads_a_piece_and_does_not_run_it(home, call, decided, write_piece, tmp_path):
    piece = write_piece(f"open({str(tmp_path / 'ran')!r}, 'w')", '[model.painting]\ncard = "multistyle26"\n')
    assert call("fetch", piece).code == 0
    assert not (tmp_path / "ran").exists()


def test_a_misspelt_card_in_a_piece_is_said_at_its_line(home, call, write_piece):
    got = call("fetch", write_piece("", '[model.painting]\ncard = "multistile26"\n'))
    assert got.code == 1 and 'did you mean "multistyle26"?' in got.said and "piece.toml" in got.said


def test_what_cannot_be_fetched_is_a_sentence(empty_home, call, monkeypatch):
    """An index that is not there: the same as no network."""
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    got = call("fetch", "multistyle26")
    assert got.code == 1 and "is there a network?" in got.said and "Traceback" not in got.said


def test_the_shelf_is_shown_by_task_with_what_is_here(home, call):
    said = call("models", "list").said
    lines = said.splitlines()
    painters = (
        lines.index("    stylise")
        if "    stylise" in lines
        else next(n for n, x in enumerate(lines) if x.strip() == "stylise")
    )
    group = lines[painters + 1 : lines.index("", painters)]
    assert [line.split()[1] for line in group] == ["anystyle", "multistyle26"] and "Apache-2.0" in group[0]
    assert group[0].split()[0] == "\u25cf" and "3.0 MB" in group[0]
    store.discard(find_card("anystyle").files["predict"].sha256)
    assert next(x for x in call("models", "list").said.splitlines() if " anystyle" in x).split()[0] == "\u25cb"


def test_prune_takes_the_beginnings_of_files_that_nobody_wants(home, call):
    from pleinair.models import partial

    wanted = next(iter(find_card("multistyle26").files.values())).sha256
    for sha256 in ("0" * 64, wanted):
        partial.path_of(sha256).parent.mkdir(parents=True, exist_ok=True)
        partial.path_of(sha256).write_bytes(b"begun")
    got = call("models", "prune", "--yes")
    assert got.found["removed"] == ["0" * 64] and "beginning" in got.said
    assert partial.path_of(wanted).exists()


def test_fetch_of_a_piece_decides_which_backend_runs_its_models(home, call, write_piece, monkeypatch):
    from pleinair.models import choose

    asked = []
    decide = choose.decide
    monkeypatch.setattr(choose, "decide", lambda *a, **k: asked.append(a) or decide(*a, **k))
    toml = '[model.painting]\ncard = "multistyle26"\nsize = [64, 64]\nthreads = 1\n'
    toml += '[model.fixed]\ncard = "anystyle"\nbackend = "onnx"\n'
    got = call("fetch", write_piece("", toml))
    assert got.code == 0 and set(got.found["backends"]) == {"painting"}
    choice = got.found["backends"]["painting"]
    assert (choice["size"], choice["threads"]) == (
        [64, 64],
        1,
    ) and f"painting         runs on {choice['name']}" in got.said
    monkeypatch.setattr(choose, "measure", None)
    monkeypatch.setattr(choose, "_elsewhere", None)
    assert choose.decide("multistyle26", (64, 64), 1).name == choice["name"]  # the first start only looks it up
    assert call("fetch", "multistyle26").found["backends"] == {}


def test_a_model_that_nothing_runs_here_is_said_and_the_fetch_is_done(home, call, write_piece):
    got = call("fetch", write_piece("", '[model.painting]\ncard = "multistyle26"\nprecision = "int4"\n'))
    assert got.code == 0 and "cannot run in" in got.said and "fault" in got.found["backends"]["painting"]


def test_add_asks_at_a_terminal_what_the_file_cannot_say(home, tmp_path):
    import os
    import pty
    import sys

    mine = tmp_path / "multistyle26.onnx"
    mine.write_bytes(blob_of("multistyle26").read_bytes())
    answers = [("another name?", "my-painter"), ("under which licence?", "cc0-1.0"), ("whose work is it?", "N. Body")]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "pleinair", "models", "add", str(mine)])
    said = ""
    while True:
        try:
            piece = os.read(terminal, 4096).decode()
        except OSError:  # the other side is gone
            break
        if not piece:
            break
        said += piece
        if said.endswith("> ") and answers:
            question, answer = answers.pop(0)
            assert question in said, said
            os.write(terminal, f"{answer}\n".encode())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0 and not answers, said
    card = find_card("my-painter")
    assert card.weights.id == "CC0-1.0" and card.credits[0].who == "N. Body"


def test_a_voice_is_not_added_without_a_word_about_consent(home, call, tmp_path):
    import json

    from ..models.hearing.test_speak import tiny_piper

    (tmp_path / "ada.onnx").write_bytes(tiny_piper())
    (tmp_path / "ada.onnx.json").write_text(json.dumps({"phoneme_id_map": {}, "audio": {"sample_rate": 16000}}))
    got = call("models", "add", tmp_path / "ada.onnx")
    assert got.code == 1 and "whether they agreed" in got.said and "--consent" in got.said
    assert not list((home / "cards").glob("*")) if (home / "cards").exists() else True


def test_add_says_what_an_unknown_licence_means(home, call, tmp_path):
    mine = tmp_path / "mine.onnx"
    mine.write_bytes(blob_of("multistyle26").read_bytes())
    got = call("models", "add", mine)
    assert got.code == 0 and got.found["weights"]["licence"] == "unknown"
    assert "nobody knows what may be done with it" in got.said and "the gate refuses it" in got.said
    refused = call("models", "show", "mine").found["verdicts"]
    assert {v["verdict"] for v in refused.values()} == {"refuse"}


def test_add_reads_the_text_of_a_licence_and_the_gate_has_it(home, call, tmp_path):
    from ..licence.test_texts import MIT

    (tmp_path / "mine.onnx").write_bytes(blob_of("multistyle26").read_bytes())
    (tmp_path / "LICENSE").write_text(MIT.format(who="2026 Ada"), "utf-8")
    got = call("models", "add", tmp_path / "mine.onnx", "--licence-file", tmp_path / "LICENSE")
    assert got.code == 0 and "it is MIT, word for word" in got.said
    card = find_card("mine")
    assert card.weights.id == "MIT" and card.weights.paper == "mine.LICENSE.txt"
    assert (home / "cards" / card.weights.paper).read_text("utf-8") == MIT.format(who="2026 Ada")
    shown = call("models", "show", "mine", "--use", "exhibit-paid")
    assert shown.found["verdicts"]["exhibit-paid"]["verdict"] == "allow" and "mine.LICENSE.txt" in shown.said


def test_a_text_that_is_not_known_leaves_the_licence_unknown_and_says_which_words(home, call, tmp_path):
    from ..licence.test_texts import MIT

    (tmp_path / "mine.onnx").write_bytes(blob_of("multistyle26").read_bytes())
    (tmp_path / "LICENSE").write_text(MIT.format(who="2026 Ada") + "Galleries pay.", "utf-8")
    got = call("models", "add", tmp_path / "mine.onnx", "--licence-file", tmp_path / "LICENSE", "--licence", "MIT")
    assert got.code == 0 and "galleries pay" in got.said
    verdicts = call("models", "show", "mine").found["verdicts"]
    assert {v["verdict"] for v in verdicts.values()} == {"refuse"}


@pytest.mark.parametrize("blob", [None, b"\0\1", b"x" * (2 << 20)])
def test_what_is_no_licence_text_is_told(home, call, tmp_path, blob):
    (tmp_path / "mine.onnx").write_bytes(blob_of("multistyle26").read_bytes())
    if blob is not None:
        (tmp_path / "LICENSE").write_bytes(blob)
    got = call("models", "add", tmp_path / "mine.onnx", "--licence-file", tmp_path / "LICENSE")
    assert got.code == 2 and "LICENSE" in got.said and not (home / "cards" / "mine.toml").exists()


def test_a_card_of_ones_own_is_shown_under_the_licence_that_its_text_is(home, call, tmp_path):
    from ..licence.test_texts import MIT

    blob = blob_of("multistyle26").read_bytes()
    (tmp_path / "mine.onnx").write_bytes(blob)
    (tmp_path / "LICENSE").write_text(MIT.format(who="2026 Ada"), "utf-8")
    sha256 = hashlib.sha256(blob).hexdigest()
    (tmp_path / "mine.toml").write_text(
        'task = "stylise"\n[weights]\npaper = "LICENSE"\n[files.network]\nname = "mine.onnx"\n'
        f'from = "file:mine.onnx"\nsha256 = "{sha256}"\nbytes = {len(blob)}\n[ports]\nimage = "Image"\n',
        "utf-8",
    )
    got = call("models", "show", tmp_path / "mine.toml")
    assert "MIT" in got.said and "LICENSE beside the card, read" in got.said
