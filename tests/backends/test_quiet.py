"""Neither runtime calls home, and neither writes outside Pleinair's own folders."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pleinair import folders
from pleinair.models import store
from pleinair.models.card import find_card

PAINT = """
from pleinair.models import load
from pleinair.models.testcard import picture
for backend in ("openvino", "onnx"):
    model = load("multistyle26", size=(64, 48), backend=backend, precision="f32")
    model(picture((64, 48)))
    model.close()
"""


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_no_internet_socket_is_opened_and_nothing_is_written_elsewhere(tmp_path):
    assert not store.missing(find_card("multistyle26"))
    home, log = tmp_path / "home", tmp_path / "log"
    home.mkdir()
    calls = "socket,connect,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,truncate"
    env = {k: v for k, v in os.environ.items() if k not in ("ORT_DISABLE_TELEMETRY",)}
    env |= {"HOME": str(home), "PLEINAIR_HOME": str(folders.data_dir()), "PYTHONDONTWRITEBYTECODE": "1"}
    env |= {"XDG_CACHE_HOME": str(home / ".cache"), "XDG_DATA_HOME": str(home / ".data")}
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={calls}", sys.executable, "-c", PAINT],
        env=env,
        capture_output=True,
        text=True,
    )
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    lines = log.read_text(errors="replace").splitlines()
    assert any("libopenvino" in line for line in lines) and any("onnxruntime" in line for line in lines)
    assert not [line for line in lines if re.search(r"AF_INET6?|connect\(", line)]
    changes = r"O_WRONLY|O_RDWR|O_CREAT|creat\(|mkdir|rename|unlink|truncate\("
    written = [line for line in lines if re.search(changes, line) and "ENOENT" not in line]
    ours = str(folders.data_dir())
    elsewhere = [line for line in written if ours not in line and "/dev/" not in line and "/proc/" not in line]
    assert not elsewhere, elsewhere[:5]
    assert not list(Path(home).rglob("*"))
