"""Landmarks against MediaPipe's own Python solutions (mediapipe 0.10.21, in an environment of its own) on the same
pictures: the mean distance of the points, over the size of the figure.

The size of a face, hand or body is the mean of the width and height of the box around MediaPipe's points. Every picture
is also shown mirrored, turned by 20 degrees, at half the size and darker, since a tracker meets all of that. A figure
that only one of the two sees is counted and named, and does not enter the mean.

The environment is made once, under the temporary folder; PLEINAIR_BENCH_MEDIAPIPE names a Python that has it already
(mediapipe 0.10.21 has wheels for Python 3.9 to 3.12).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from .common import Figure

VERSION = "0.10.21"
GOAL = 0.02
STILLS = ("astronaut", "grace_hopper", "hand_pointing", "hand_hooked", "hand_fist")
CLIPS = {"carphone": 24, "finger_signs": 8}
"""Clip -> every how many frames one is taken."""
CROWD = {
    1: ("8ecae4b267b2d3169e06e00c7dee97097aa2a94635d45216f7732a5f4943cb51", 144516),
    2: ("7d2b60ae6f13bf30f422e04df87451081a02c83de469056f25afb44b7000c691", 181758),
    3: ("8eb081c9efb14370fa94d9feab9e5fbeafd19a627491853a80c2bf67f7ffa936", 221049),
    4: ("729efa5923061d40eb4ed5f267a18cc7b8ba6f852bb2757b16d8b7e4937476fc", 210824),
    5: ("6d45095ebb182d8f975c0790e0e4eefd86fbb40609cf4b271776d92e12662938", 166400),
    6: ("9baad80f9d5e306fb9b8c0913d44445f1e95848df317530efb03d0934c57ba87", 302445),
}
"""Groups of people, 1920 pixels wide, out of npm's @vladmandic/face-api 1.7.15 (demo/sampleN.jpg). Whose photographs
they are is not said there: they are looked at here and never shown, so they have no card on the shelf."""


def run(quick: bool) -> list[Figure]:
    shown = pictures(quick)
    theirs = mediapipe(shown)
    return [_compared(task, shown, theirs) for task in ("faces", "hands", "pose")]


def pictures(quick: bool = False) -> dict[str, np.ndarray]:
    """uint8 RGB by name."""
    from pleinair.models import clip_path, store
    from pleinair.models.card import card_from
    from pleinair.models.fetch import fetch

    crowd = card_from({
        "name": "crowd", "task": "clip",
        "files": {
            f"picture{n}": {"from": f"npm:@vladmandic/face-api@1.7.15/demo/sample{n}.jpg", "sha256": sha, "bytes": size}
            for n, (sha, size) in CROWD.items()
        },
    })  # fmt: skip
    fetch([*STILLS, *CLIPS, *([] if quick else [crowd])])
    found = {name: _frames(clip_path(name))[0] for name in STILLS}
    for name, step in CLIPS.items():
        found |= {f"{name} {n}": f for n, f in enumerate(_frames(clip_path(name))) if n % step == 0}
    if quick:
        return found
    found |= {f"crowd {n}": _frames(store.path(crowd, f"picture{n}"))[0] for n in CROWD}
    return {f"{name}, {how}": change(image) for name, image in found.items() for how, change in WAYS.items()}


def _frames(path: Path) -> list[np.ndarray]:
    import av

    with av.open(str(path)) as container:
        return [np.ascontiguousarray(f.to_ndarray(format="rgb24")) for f in container.decode(video=0)]


def _turned(image: np.ndarray) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 20, 1)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _halved(image: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.resize(image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA)


WAYS = {
    "as it is": lambda image: image,
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "turned": _turned,
    "half the size": _halved,
    "darker": lambda image: (image * 0.5).astype(np.uint8),
}


def mediapipe(shown: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What the other side finds: "TASK NAME" -> (figures, points, 3)."""
    with tempfile.TemporaryDirectory(prefix="pleinair-bench-") as folder:
        given, found = Path(folder) / "pictures.npz", Path(folder) / "found.npz"
        np.savez(given, **shown)
        worker = Path(__file__).with_name("mediapipe_worker.py")
        subprocess.run([_python(), str(worker), str(given), str(found)], check=True, stderr=subprocess.DEVNULL)
        with np.load(found) as answer:
            return {name: answer[name] for name in answer.files}


def _python() -> str:
    """A Python that has MediaPipe."""
    if named := os.environ.get("PLEINAIR_BENCH_MEDIAPIPE"):
        return named
    home = Path(tempfile.gettempdir()) / f"pleinair-bench-mediapipe-{VERSION}"
    python = home / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (home / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", f"mediapipe=={VERSION}"], check=True)
        (home / "made").touch()
    return str(python)


def _compared(task: str, shown: dict[str, np.ndarray], theirs: dict[str, np.ndarray]) -> Figure:
    import pleinair

    model = pleinair.load(task, most=1 if task == "pose" else 8)
    apart: list[float] = []
    worst, alone, missed, seen = ("", 0.0), [], [], set()
    for name, image in shown.items():
        scale = np.array([image.shape[1], image.shape[0]])
        ours = [figure.points[:, :2] * scale for figure in model(image)]
        for other in theirs[f"{task} {name}"]:
            other = other[:, :2] * scale
            size = float(np.ptp(other, axis=0).mean())
            gaps = [float(np.linalg.norm(mine - other, axis=1).mean()) / size for mine in ours]
            if not gaps or min(gaps) > 0.5:
                missed.append(name)
                continue
            apart.append(min(gaps))
            ours.pop(int(np.argmin(gaps)))
            seen.add(name)
            worst = max(worst, (name, apart[-1]), key=lambda w: w[1])
        alone += [name] * len(ours)
    model.close()
    if not apart:
        return Figure(f"{task}: distance from MediaPipe's points", None, "%", f"<= {100 * GOAL:g}", None)
    mean = float(np.mean(apart))
    return Figure(
        f"{task}: distance from MediaPipe's points, mean over {len(apart)} figures in {len(seen)} pictures",
        round(100 * mean, 3),
        "%",
        f"<= {100 * GOAL:g}",
        mean <= GOAL,
        {
            "backend": model.describe()["backend"],
            "median_percent": round(100 * float(np.median(apart)), 3),
            "p95_percent": round(100 * float(np.percentile(apart, 95)), 3),
            "worst": {"picture": worst[0], "percent": round(100 * worst[1], 3)},
            "above_goal": sum(a > GOAL for a in apart),
            "pictures_shown": len(shown),
            "seen_only_by_mediapipe": sorted(missed),
            "seen_only_by_us": sorted(alone),
        },
    )
