"""`fetch` says how much is going to come before anything does."""

from __future__ import annotations

from pleinair.cli.fetch import ahead
from pleinair.models.card import find_card


def test_what_comes_is_said_before_and_a_package_counts_once(tmp_path, monkeypatch):
    monkeypatch.setenv("PLEINAIR_HOME", str(tmp_path))
    hands, faces = find_card("hands"), find_card("faces")
    one, both = ahead([hands]), ahead([hands, faces])
    assert one.endswith("will be kept here; for that 35.6 MB have to come, in 1 package")
    assert both.endswith("for that 35.6 MB have to come, in 1 package") and one.split()[0] != both.split()[0]
