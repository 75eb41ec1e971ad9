"""Command to first painted frame, weights in the store; `import pleinair`."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time

from .common import Figure, browser, until
from .viewer import PAINTS


def run(quick: bool = False) -> list[Figure]:
    rounds = 2 if quick else 5
    first = [_first_frame() for _ in range(rounds)]
    imports = [_import() for _ in range(rounds * 3)]
    seconds, import_s = statistics.median(first), statistics.median(imports)
    return [
        Figure(
            "command to first painted frame, mirror",
            round(seconds, 2),
            "s",
            "<= 3",
            seconds <= 3,
            {"all": [round(v, 2) for v in first]},
        ),
        Figure(
            "import pleinair, over a bare interpreter",
            round(import_s, 3),
            "s",
            "<= 0.15",
            import_s <= 0.15,
            {"all": [round(v, 3) for v in imports]},
        ),
    ]


def _first_frame() -> float:
    """From the command to the first picture on a canvas, in a browser that is open already."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with browser() as chrome:
        page = chrome.new_page(viewport={"width": 640, "height": 480})
        page.add_init_script(PAINTS)
        began = time.time()
        command = [sys.executable, "-m", "pleinair", "run", "mirror", "--no-browser", "--port", str(port)]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 0.2).close()
                    break
                except OSError:
                    time.sleep(0.01)
            page.goto(f"http://127.0.0.1:{port}/?nocamera", wait_until="commit")
            until(page, "!!window.paints && paints.length > 0")
            painted = page.evaluate("paints[0]") / 1000
        finally:
            process.terminate()
            process.wait(10)
    return painted - began


def _import() -> float:
    """What the import adds to a start of Python."""
    timed = []
    for code in ("pass", "import pleinair"):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        timed.append(time.perf_counter() - began)
    return timed[1] - timed[0]
