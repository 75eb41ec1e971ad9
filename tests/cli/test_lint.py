"""What would break a replay is found in a piece's text, at its line, with what to use instead."""

from __future__ import annotations

import pytest

from pleinair.lint import BREAKS, WARNING, lint


def found(text: str, pictures: dict[str, set[str]] | None = None) -> list[tuple[str, str, int]]:
    return [(f.rule, f.weight, f.line) for f in lint(text, "piece.py", pictures)]


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("import time\nx = time.time()", "time"),
        ("import time as tm\nx = tm.monotonic_ns()", "time"),
        ("from time import perf_counter as now\nx = now()", "time"),
        ("from datetime import datetime\nx = datetime.now()", "time"),
        ("import datetime\nx = datetime.datetime.utcnow()", "time"),
        ("from datetime import date\nx = date.today()", "time"),
        ("import random\nx = random.random()", "chance"),
        ("from random import choice\nx = choice([1, 2])", "chance"),
        ("import numpy as np\nx = np.random.rand(3)", "chance"),
        ("from numpy import random as dice\nx = dice.normal()", "chance"),
        ("from numpy.random import default_rng\nx = default_rng()", "chance"),
        ("import numpy\nx = numpy.random.default_rng(7)", "chance"),
        ("import os\nx = os.urandom(4)", "chance"),
        ("import uuid\nx = uuid.uuid4()", "chance"),
        ("import secrets\nx = secrets.token_hex()", "chance"),
        ("\nx = __import__('random').random()", "chance"),
        ("\nx = hash('word')", "chance"),
        ("import socket\nx = socket.socket()", "network"),
        ("import requests\nx = requests.get('x')", "network"),
        ("import urllib.request\nx = urllib.request.urlopen('x')", "network"),
        ("import http.client\nx = http.client.HTTPConnection('x')", "network"),
        ("import threading\nx = threading.Thread()", "threads"),
        ("import subprocess\nx = subprocess.run(['x'])", "threads"),
        ("import cv2\nx = cv2.VideoCapture(0)", "device"),
        ("\nx = open('x', 'w')", "writing"),
        ("\nx = open('x', mode='ab')", "writing"),
        ("from pathlib import Path\nx = Path('x').write_text('y')", "writing"),
        ("import os\nx = os.environ['X']", "machine"),
    ],
)
def test_what_breaks_a_replay_is_found_at_its_line(line, rule):
    assert found(line) == [(rule, BREAKS, 2)]


def test_everything_of_a_module_at_once_is_found_at_the_import():
    assert found("from random import *\nx = random()") == [("chance", BREAKS, 1)]


@pytest.mark.parametrize(
    "text",
    [
        "import numpy as np\ndef draw(camera, rng: np.random.Generator): return camera",
        "def draw(time, random): return time + random",
        "import random\ndef draw(random): return random.value",
        "import time",
        "x = open('words.txt').read()",
        "x = open('words.txt', 'r')",
        "x = hash(7)",
        "import math\nx = math.sin(1)",
        "from datetime import timedelta\nx = timedelta(1)",
    ],
)
def test_what_does_no_harm_is_left_alone(text):
    assert found(text) == []


def test_the_hint_names_the_reserved_parameter():
    first, second = lint("import time, random\na = time.time()\nb = random.random()")
    assert "t (content time" in first.hint and "rng" in second.hint
    assert first.where == "piece.py, line 2    a = time.time()"


@pytest.mark.parametrize(
    ("body", "hits"),
    [
        ("return a - b", 1),
        ("return a + b", 1),
        ("return a[:, ::-1] - b", 1),
        ("c = a\n    return c - b", 1),
        ("return a + 40", 1),
        ("return a - b - b", 2),
        ("return a * 0.5", 0),
        ("return 255 - a", 0),
        ("return a.astype(int) - b", 0),
        ("a = a.astype(float)\n    return a - b", 0),
        ("return subtract(a, b)", 0),
        ("return k - 1", 0),
    ],
)
def test_bare_arithmetic_of_pictures_is_a_warning(body, hits):
    findings = lint(f"def draw(a, b, k):\n    {body}\n", pictures={"draw": {"a", "b"}})
    assert [f.rule for f in findings] == ["pictures"] * hits
    assert all(f.weight == WARNING and "wrap" in f.what for f in findings)


@pytest.mark.parametrize(
    "text",
    [
        "n = 0\ndef draw(a):\n    global n\n    n += 1\n    return a",
        "trail = []\ndef draw(a):\n    trail.append(a)\n    return a",
        "seen = {}\ndef draw(a):\n    seen['x'] = a\n    return a",
        "def draw(a, trail=[]):\n    trail.append(a)\n    return a",
    ],
)
def test_state_that_outlives_a_firing_is_a_warning(text):
    (finding,) = lint(text)
    assert (finding.rule, finding.weight) == ("state", WARNING)
    assert "reset()" in finding.hint


def test_state_of_a_function_s_own_is_no_state():
    assert lint("trail = []\ndef draw(a):\n    trail = []\n    trail.append(a)\n    return a") == []


def test_what_is_not_python_is_left_to_whoever_reads_the_piece():
    assert lint("def draw(:") == []
