"""Takes the pictures of README and docs: real captures of the real program.

    python tools/pictures.py            # needs Chromium and the weights
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.common import browser, running  # noqa: E402

OUT = ROOT / "docs" / "pictures"


def put(url: str, value: object) -> None:
    body = json.dumps({"value": value}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method="PUT")
    urllib.request.urlopen(request).close()


def parrot() -> None:
    """The parrot when it has answered the visitor's second question: the piece with its own models, on the virtual
    clock, so that it is the same on a busy machine."""
    from pleinair import assembly, resize
    from pleinair.core.codec import encode_jpeg
    from pleinair.run.offline import OfflineRunner

    loaded = assembly.load("parrot")
    parts = assembly.MachineParts(loaded, sources={"mic": "sound:visitor"})
    runner = OfflineRunner(assembly.assemble(loaded, parts), costs={"answer": 0.06})
    runner.run(17)
    (OUT / "parrot.jpg").write_bytes(encode_jpeg(resize(runner.last["draw"].data, (720, 540)), 80))


def main() -> None:
    OUT.mkdir(exist_ok=True)
    parrot()
    muse = ROOT / "pleinair/gallery/muse"
    with running(muse, "--source", "camera=clip:bigbuckbunny") as (_, url), browser() as chrome:
        stage = chrome.new_page(viewport={"width": 960, "height": 720})
        stage.goto(url)
        time.sleep(4)
        stage.screenshot(path=str(OUT / "stage.jpg"), type="jpeg", quality=88)
        desk = chrome.new_page(viewport={"width": 1440, "height": 900})
        desk.goto(url + "desk")
        time.sleep(12)
        desk.screenshot(path=str(OUT / "desk.png"))
        phone = chrome.new_page(viewport={"width": 390, "height": 844})
        phone.goto(url + "desk")
        time.sleep(3)
        phone.screenshot(path=str(OUT / "desk-phone.png"))
    for picture in sorted(OUT.iterdir()):
        print(picture.relative_to(ROOT), picture.stat().st_size)


if __name__ == "__main__":
    main()
