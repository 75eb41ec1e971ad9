"""A wheel is only a box: where there is none for this machine, another machine's will do."""

from __future__ import annotations

import hashlib

import pytest

from pleinair.core.errors import ModelFault
from pleinair.models import store
from pleinair.models.card import card_from
from pleinair.models.fetch import fetch

BLOB = b"weights"


@pytest.fixture
def card():
    file = {
        "name": "a.tflite",
        "from": "pypi:boxes==1.0/boxes/a.tflite",
        "sha256": hashlib.sha256(BLOB).hexdigest(),
        "bytes": len(BLOB),
    }
    return card_from({"name": "boxed", "task": "vector", "files": {"network": file}})


@pytest.mark.parametrize("tags", ["py3-none-any", "cp312-cp312-manylinux_2_28_x86_64"])
def test_another_machines_wheel_will_do(index, home, card, tags):
    wheel = index("boxes", "1.0", {"boxes/a.tflite": BLOB})
    wheel.rename(wheel.with_name(f"boxes-1.0-{tags}.whl"))
    (fetched,) = fetch([card])
    assert fetched.how.startswith("pypi:") and store.read(card, "network") == BLOB


def test_what_is_nowhere_is_said_once(index, home, card):
    index("others", "1.0", {"others/a": b""})
    with pytest.raises(ModelFault, match="found no boxes 1.0"):
        fetch([card])
