"""The same bits without the newer instructions: what OpenCV computes for us must not depend on the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources.clips import make_clip

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_old_processors_paint_the_same(tmp_path):
    make_clip(tmp_path / "clip.mp4", 12)

    def hashes(**environment: str) -> dict[str, str]:
        command = [sys.executable, "-m", "tests.effects.portable", str(tmp_path / "clip.mp4")]
        run = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    new = hashes()
    for disabled in ("AVX512-SKX", "AVX512-SKX,AVX2", "AVX512-SKX,AVX2,AVX,FP16,SSE4.2,SSE4.1"):
        old = hashes(OPENCV_CPU_DISABLE=disabled)
        assert {name for name in new if new[name] != old[name]} == set()
