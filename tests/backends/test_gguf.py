"""GGUF models of every architecture that the shelf names, tiny and made here; stopping, grammars, adapters, memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from pleinair.backends import llama_c
from pleinair.backends.gguf import CHUNK, Gguf, Sampling
from pleinair.core.errors import ModelFault
from tests.models.language import tiny

PROMPT = "abc def ghi jkl mno pqr stu vwx yz"


@pytest.fixture
def engine(tmp_path):
    """`engine(path, **options)`, closed at the end."""
    made = []

    def make(path: Path, **options):
        made.append(Gguf(path, threads=1, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def llama(tmp_path) -> Path:
    return tiny.model(tmp_path / "llama.gguf", "llama")


def say(engine: Gguf, most: int = 12, text: str = PROMPT, **how) -> list[bytes]:
    how = {"temperature": 3.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, **how}
    return [p for p in engine.stream(engine.tokens(text), Sampling(**how), most) if p is not None]


@pytest.mark.parametrize("architecture", ["llama", "gemma", "qwen2", "bloom"])
def test_every_architecture_speaks_and_says_the_same_again(architecture, tmp_path, engine):
    """Mistral's files are of the architecture llama."""
    one = engine(tiny.model(tmp_path / "m.gguf", architecture))
    first = say(one, seed=3)
    assert 2 <= len(first) <= 12 and first == say(one, seed=3) and first != say(one, seed=4)
    greedy = say(one, temperature=0)
    assert greedy == say(one, temperature=0, seed=9)
    assert len(set(say(one, temperature=0, repeat=9.0))) > len(set(greedy)) or len(set(greedy)) == len(greedy)
    other = engine(tiny.model(tmp_path / "n.gguf", architecture, seed=1))
    assert say(other, seed=3) != first


def test_a_prompt_is_read_in_steps_and_what_it_begins_with_is_not_read_again(llama, engine):
    one = engine(llama)
    tokens = one.tokens("abcde " * 12)
    steps = list(one.stream(tokens, Sampling(temperature=0), 4))
    assert steps[: -(len(tokens) // -CHUNK)] == [None] * -(len(tokens) // -CHUNK)
    assert None not in steps[-4:] and len(steps) == 4 - (len(tokens) // -CHUNK)
    longer = [*tokens, *one.tokens("and more", special=False)]
    again = list(one.stream(longer, Sampling(temperature=0), 4))
    assert again.count(None) == 1, "only what is new is read"
    fresh = engine(llama)
    assert [p for p in fresh.stream(longer, Sampling(temperature=0), 4) if p] == [p for p in again if p]


def test_an_interrupt_stops_it_in_the_middle_of_a_step_and_leaves_nothing_of_it(llama, engine):
    one, other = engine(llama), engine(llama)
    tokens = one.tokens(PROMPT)
    for steps in (1, 2, 5):
        stream = one.stream(tokens, Sampling(seed=steps), 50)
        for _ in range(steps):
            next(stream)
        one.interrupt()
        assert list(stream) == [] and one.interrupted
        shadow = other.stream(tokens, Sampling(seed=steps), 50)  # a replay pulls as many, and closes it
        for _ in range(steps):
            next(shadow)
        shadow.close()
        assert one.save() == other.save()
    assert say(one, seed=1) == say(other, seed=1)


def test_an_interrupt_from_another_thread_ends_a_long_prompt(llama, engine):
    one = engine(llama, context=256)
    began, ended = threading.Event(), []

    def read() -> None:
        stream = one.stream(one.tokens("ab " * 80), Sampling(), 10_000)
        next(stream)
        began.set()
        ended.append(list(stream))

    for _ in range(20):
        began.clear()
        thread = threading.Thread(target=read)
        thread.start()
        assert began.wait(10)
        one.interrupt()
        thread.join(10)
        assert not thread.is_alive()
    assert len(ended) == 20 and all(None in e or len(e) < 10_000 for e in ended)


def test_a_new_question_ends_the_answer_before(llama, engine):
    one = engine(llama)
    first = one.stream(one.tokens(PROMPT), Sampling(), 50)
    next(first)
    second = one.stream(one.tokens("yes"), Sampling(temperature=0), 5)
    next(second)
    assert list(first) == []
    assert [None, *second] == list(engine(llama).stream(one.tokens("yes"), Sampling(temperature=0), 5))


@pytest.mark.parametrize("grammar", ['root ::= "yes" | "no"', 'root ::= ("yes" "!") | ("no" "." "no")'])
def test_a_grammar_is_followed(grammar, llama, engine):
    one = engine(llama)
    said = {b"".join(say(one, 20, seed=seed, grammar=grammar)) for seed in range(20)}
    assert len(said) == 2 and said <= {b"yes", b"no", b"yes!", b"no.no"}


def test_a_json_schema_is_followed(llama, engine):
    schema = {
        "type": "object",
        "properties": {"a": {"enum": ["yes", "no"]}, "n": {"type": "integer", "minimum": 0, "maximum": 9}},
        "required": ["a", "n"], "additionalProperties": False,
    }  # fmt: skip
    one = engine(llama)
    found = [json.loads(b"".join(say(one, 60, seed=seed, repeat=1.3, schema=schema))) for seed in range(6)]
    assert all(f["a"] in ("yes", "no") and 0 <= f["n"] <= 9 and len(f) == 2 for f in found)
    assert len({json.dumps(f) for f in found}) > 1


@pytest.mark.parametrize("how", [{"grammar": "root ::= ("}, {"schema": {"type": "nothing"}}])
def test_a_grammar_that_is_none_is_a_sentence(how, llama, engine):
    one = engine(llama)
    with pytest.raises(ModelFault, match=r"grammar|schema"):
        say(one, **how)
    assert len(say(one)) > 0, "it still speaks"


def test_an_adapter_changes_what_is_said_by_its_strength(tmp_path, llama, engine):
    plain, bent = engine(llama), engine(llama, adapters=[tiny.adapter(tmp_path / "a.gguf")])
    whole = say(bent, temperature=0)
    assert whole != say(plain, temperature=0)
    bent.set_adapters([0.0])
    assert say(bent, temperature=0) == say(plain, temperature=0)
    bent.set_adapters([1.0])
    assert say(bent, temperature=0) == whole
    with pytest.raises(ModelFault, match="adapter b.gguf"):
        engine(llama, adapters=[tiny.adapter(tmp_path / "b.gguf", wide=8)])


def test_what_it_read_is_brought_back_to_the_bit(llama, engine):
    one, other = engine(llama), engine(llama)
    for text in (PROMPT, PROMPT + " and so on", "yes"):
        say(one, 7, text, seed=2)
    kept = one.save()
    assert sum(row[0] for row in kept) > 5
    other.load(kept)
    assert other.save() == kept
    assert say(one, 9, "yes no", seed=5) == say(other, 9, "yes no", seed=5)


def test_a_full_context_ends_the_answer_and_a_prompt_that_does_not_fit_is_a_sentence(llama, engine):
    one = engine(llama)
    assert one.context == tiny.CONTEXT
    room = tiny.CONTEXT - len(one.tokens(PROMPT))
    letters = "root ::= [a-z] root"
    assert len(say(one, 10_000, grammar=letters)) <= room + 1
    with pytest.raises(ModelFault, match="255 tokens"):
        say(one, text="abcdefgh" * 100)
    with pytest.raises(ModelFault, match="1 to 255"):
        one.stream([], Sampling(), 1)


def test_chat_templates_are_told_apart_and_none_is_run(tmp_path, llama, engine):
    talk = [("system", "be kind"), ("user", "hello")]
    assert engine(llama).chat(talk) == "be kind\nhello", "a file without a template gets plain lines"
    marked = engine(tiny.model(tmp_path / "c.gguf", "llama", template=tiny.CHATML))
    assert marked.chat(talk).startswith("<|im_start|>system\nbe kind<|im_end|>\n<|im_start|>user\nhello<|im_end|>")
    assert "<start_of_turn>user\nbe kind\n\nhello" in marked.chat(talk, "gemma")
    assert "[INST]" in marked.chat(talk, "mistral-v7") and "<|start_header_id|>" in marked.chat(talk, "llama3")
    long = marked.chat([("user", "x" * 5000)])
    assert "x" * 5000 in long
    with pytest.raises(ModelFault, match="template"):
        marked.chat(talk, "{{ cycler.__init__.__globals__.os.system('true') }}")


@pytest.mark.parametrize("blob", [b"", b"GGUF", b"GGUF" + b"\xff" * 400, b"no model at all" * 9])
def test_a_file_that_is_no_model_is_a_sentence(blob, tmp_path):
    (tmp_path / "bad.gguf").write_bytes(blob)
    with pytest.raises(ModelFault, match=r"bad\.gguf cannot be loaded"):
        Gguf(tmp_path / "bad.gguf", threads=1)


def test_a_version_never_tried_is_tried_out_in_a_process_of_its_own(llama, monkeypatch):
    llama_c.try_out.cache_clear()
    monkeypatch.setattr(llama_c, "TESTED", ("1.0",))
    llama_c.try_out(str(llama))  # it speaks there: good
    with pytest.raises(ModelFault, match="cannot be used here") as caught:
        llama_c.try_out(str(llama.with_name("none.gguf")))
    assert "pip install xllamacpp==1.0" in caught.value.hint
    llama_c.try_out.cache_clear()


@pytest.mark.skipif(not Path("/usr/bin/strace").exists(), reason="needs strace")
def test_no_socket_is_opened(llama, tmp_path):
    program = (
        "import sys; from pathlib import Path; from pleinair.backends.gguf import Gguf, Sampling\n"
        "g = Gguf(Path(sys.argv[1]), threads=2)\n"
        "assert len(list(g.stream(g.tokens('abc'), Sampling(schema={'type': 'boolean'}), 9))) > 1\ng.close()"
    )
    log = tmp_path / "calls"
    subprocess.run(
        ["strace", "-f", "-e", "trace=socket,connect,bind,listen", "-o", log, sys.executable, "-c", program, llama],
        check=True, env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert "exited with 0" in log.read_text() and "socket(" not in log.read_text()
