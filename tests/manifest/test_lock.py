"""piece.lock: it comes back as it was written, and says what has changed since."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pleinair.core.errors import ManifestFault
from pleinair.manifest import Lock, dumps, environment, isa


def test_a_lock_comes_back_as_it_was_written(tmp_path):
    lock = Lock(
        {"python": "3.11.2", 'odd "key"': "a\tb\x7f\\ –"},
        {"painting": {
            "card": "multistyle26", "asked": "x", "sha256": "ab" * 32, "nothing": None,
            "backend": {"name": "onnx", "version": "1.24", "threads": 2, "precision": "f32", "ratio": 1e-05, "ok": True,
                        "size": [320, 240], "odd.name": {"deep": 1}, "row": [{"a": 1}, "x"]},
        }},
    )  # fmt: skip
    lock.save(tmp_path / "deep" / "piece.lock")
    again = Lock.load(tmp_path / "deep" / "piece.lock")
    assert again.environment == lock.environment
    del lock.models["painting"]["nothing"]
    assert again.models == lock.models
    assert not list(tmp_path.rglob("*.tmp"))


def test_saving_what_is_there_already_writes_nothing(tmp_path):
    path = tmp_path / "piece.lock"
    Lock({"a": "1"}, {}).save(path)
    path.chmod(0o444)
    before = path.stat().st_mtime_ns
    Lock.load(path).save(path)
    assert path.stat().st_mtime_ns == before


_plain = st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.text())
_table = st.recursive(
    st.dictionaries(st.text(), st.one_of(_plain, st.lists(_plain, max_size=3)), max_size=4),
    lambda inner: st.dictionaries(st.text(), st.one_of(_plain, inner), max_size=4), max_leaves=8,
)  # fmt: skip


@given(_table)
def test_any_table_is_written_as_toml_and_read_again(table):
    try:
        text = dumps(table)
        text.encode()
    except UnicodeEncodeError:
        return  # half a character: no file can hold it
    assert tomllib.loads(text) == table


@pytest.mark.parametrize("text", ["environment = 5", "[environment", "model = []", "[model]\npainting = 5"])
def test_a_broken_lock_is_evidence_and_not_rubbish(tmp_path, text):
    (tmp_path / "piece.lock").write_text(text)
    with pytest.raises(ManifestFault, match="piece.lock"):
        Lock.load(tmp_path / "piece.lock")


def test_no_lock_is_an_empty_one(tmp_path):
    assert Lock.load(tmp_path / "piece.lock") == Lock()


def test_drift_is_told_in_sentences():
    lock = Lock({"python": "3.11.2", "numpy": "2.0", "gone": "1"}, {})
    assert lock.drift({"python": "3.11.2", "numpy": "2.1", "new": "5"}) == [
        "numpy was 2.0 when the piece was locked, and is 2.1",
        "gone was 1 when the piece was locked, and is gone",
    ]
    assert Lock(environment(), {}).drift(environment()) == []


def test_the_environment_names_what_decides_numbers():
    found = environment()
    assert {"python", "machine", "isa", "numpy", "onnxruntime", "openvino"} <= set(found)
    assert all(isinstance(v, str) and v for v in found.values()) and found["isa"] == isa()
