"""A fake piece behind a real stage, and a real Chromium to look at it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .fakes import staged

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
SHOTS = Path(__file__).parents[1] / "shots"


@pytest.fixture
def stage(tmp_path):
    it = staged(tmp_path)
    yield it
    it.stage.stop()


@pytest.fixture(scope="session")
def camera_clip(tmp_path_factory):
    """Ten seconds of numbered pictures for Chromium's fake camera."""
    from pleinair.core.codec import encode_jpeg

    from .fakes import barcode

    path = tmp_path_factory.mktemp("camera") / "numbered.mjpeg"
    path.write_bytes(b"".join(encode_jpeg(barcode(n, (320, 240)), 95) for n in range(300)))
    return path


@pytest.fixture(scope="module")
def chromium(camera_clip):
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no chromium on this machine")
    SHOTS.mkdir(exist_ok=True)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*FLAGS, f"--use-file-for-fake-video-capture={camera_clip}"]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """open_page(url, width=..., height=...): a page of its own; an error in it fails the test.

    The content security policy stays on: what waits in the page polls from outside.
    """
    contexts, errors = [], []

    def make(url: str, *, width: int = 960, height: int = 720, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda m: errors.append(m.text) if "Content Security Policy" in m.text else None)
        page.goto(url)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors, errors
