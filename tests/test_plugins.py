"""Entry points: built-ins by the same door, lazily, each with a status; a bad one never ends the others."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata

import pytest

from pleinair import plugins
from pleinair.core.errors import Fault
from pleinair.core.source import Sink, Source


@pytest.fixture
def strangers(tmp_path, monkeypatch):
    """`strangers("sources", name="module:Class")`: another package's plug-ins, really installed on the path."""
    plugins.names.cache_clear()
    plugins.find.cache_clear()

    def install(group: str, **points: str) -> None:
        info = tmp_path / "stranger-1.2.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.2\n")
        text = f"[pleinair.{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
        (info / "entry_points.txt").write_text(text)
        (tmp_path / "stranger.py").write_text(
            "from pleinair.core.source import Source\n"
            "class Lidar(Source): ...\n"
            "class Absent(Source):\n    @staticmethod\n    def available(): return 'no lidar is connected'\n"
            "class Breaks(Source):\n    @staticmethod\n    def available(): raise OSError('bus error')\n"
        )
        (tmp_path / "broken_stranger.py").write_text("raise RuntimeError('needs another Python')\n")
        monkeypatch.syspath_prepend(str(tmp_path))
        plugins.names.cache_clear()
        plugins.find.cache_clear()

    yield install
    plugins.names.cache_clear()
    plugins.find.cache_clear()


def test_built_ins_come_in_by_the_same_door():
    points = {p.name for p in metadata.entry_points(group="pleinair.sources")}
    assert {"webcam", "file", "rtsp", "browser", "synthetic", "tick"} <= points == set(plugins.names("sources"))
    assert issubclass(plugins.find("sources", "synthetic"), Source) and issubclass(plugins.find("sinks", "null"), Sink)


def test_every_built_in_can_be_imported_and_has_a_status():
    found = plugins.statuses()
    assert {s.group for s in found} >= {"sources", "sinks", "effects", "backends", "tasks"}
    broken = [s for s in found if s.origin.startswith("pleinair") and "cannot be used" in s.why]
    assert not broken, broken


def test_a_misspelt_plug_in_says_what_was_meant():
    with pytest.raises(Fault, match='no source called "webcan"') as caught:
        plugins.find("sources", "webcan")
    assert "webcam" in caught.value.hint


def test_a_strangers_plug_in_is_found_and_its_origin_shown(strangers):
    strangers("sources", lidar="stranger:Lidar")
    assert plugins.find("sources", "lidar").__name__ == "Lidar"
    (status,) = [s for s in plugins.statuses() if s.name == "lidar"]
    assert status.ok and status.origin == "stranger 1.2"


def test_a_strangers_plug_in_does_not_take_a_built_ins_name(strangers):
    strangers("sources", webcam="stranger:Lidar")
    assert plugins.find("sources", "webcam").__module__ == "pleinair.sources.webcam"


@pytest.mark.parametrize("point, says", [
    ("broken_stranger:X", "needs another Python"), ("no_such_module:X", "no_such_module"),
    ("stranger:Nothing", "Nothing"),
])  # fmt: skip
def test_one_that_cannot_be_imported_is_a_status_and_a_fault_where_it_is_asked_for(strangers, point, says):
    strangers("sources", bad=point, lidar="stranger:Lidar")
    with pytest.raises(Fault) as caught:
        plugins.find("sources", "bad")
    assert says in caught.value.what and caught.value.where == point and "doctor" in caught.value.hint
    by_name = {s.name: s for s in plugins.statuses()}
    assert not by_name["bad"].ok and says in by_name["bad"].why and by_name["lidar"].ok


def test_one_that_says_that_it_is_not_available_has_that_as_its_status(strangers):
    strangers("sources", absent="stranger:Absent", breaks="stranger:Breaks")
    by_name = {s.name: s for s in plugins.statuses()}
    assert not by_name["absent"].ok and by_name["absent"].why == "no lidar is connected"
    assert not by_name["breaks"].ok and "bus error" in by_name["breaks"].why


def test_asking_for_names_imports_nothing():
    script = (
        "import sys; from pleinair import plugins; plugins.names('sources'); plugins.names('backends'); "
        "heavy = ('av', 'cv2', 'openvino', 'onnxruntime'); "
        "print([m for m in sys.modules if m in heavy or m.startswith('pleinair.sources.')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
