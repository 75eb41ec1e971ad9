"""Pictures from a page or a program: checked, stamped in this machine's time, one page at a time."""

import time

import aiohttp
import cv2
import numpy as np
import pytest

from pleinair.core.codec import decode, encode_jpeg

from .client import Client, run, until
from .fakes import barcode, staged


@pytest.fixture
def show(tmp_path):
    it = staged(tmp_path, browser=True)
    yield it
    it.stage.stop()


def planes(picture):
    return cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420).tobytes()


def header(n, **more):
    return {"type": "camera", "input": "camera", "n": n, "codec": "i420", "width": 320, "height": 240, **more}


def test_planes_and_jpeg_arrive_with_their_capture_time(show):
    picture = barcode(77, (320, 240))
    got = show.host.browser_inputs["camera"].got

    async def main():
        async with Client(show, "camera=camera") as page:
            await until(lambda: [c for c in page.said("clock") if "offset_ms" in c])
            captured = time.monotonic_ns() - 40_000_000
            await page.send_picture(header(1, at=captured / 1e6, matrix="bt601", full=False), planes(picture))
            await until(lambda: page.said("taken"))
            assert page.said("taken")[0] == {"type": "taken", "input": "camera", "n": 1}
            raw, machine_ns, _ = got[0]
            assert (raw.codec, raw.note) == ("i420", {"width": 320, "height": 240, "matrix": "bt601", "full": False})
            assert abs(machine_ns - captured) < 3_000_000
            assert abs(decode(raw).astype(int) - picture).mean() < 6
            jpeg = {"type": "camera", "input": "camera", "n": 2, "codec": "jpeg"}
            await page.send_picture(jpeg, encode_jpeg(picture))
            await until(lambda: len(got) == 2)
            assert got[1][0].codec == "jpeg"
            assert got[1][1] > got[0][1]

    run(main())


WRONG = [
    (header(1, width=10_000, height=10_000), b""),
    (header(1, width=319), b"\0" * 115_200),
    (header(1), b"\0" * 115_199),
    (header(1), b""),
    (header(1, codec="raw"), b""),
    (header(1, input="mic"), b""),
    (header("1"), b"\0" * 115_200),
    (header(1, width="320"), b"\0" * 115_200),
    (header(1, at="now"), b"\0" * 115_200),
    (header(1, width=-2), b""),
    (header(1, codec="jpeg"), b"\xff\xd8\xff" + b"\0" * 90),
    (header(1, codec="jpeg"), b"<svg/>"),
    (header(1, width=True), b""),
]


@pytest.mark.parametrize("case", WRONG, ids=lambda c: str({k: c[0][k] for k in ("input", "n", "codec", "width")}))
def test_what_is_no_picture_is_refused_with_a_sentence(show, case):
    async def main():
        async with Client(show, "camera=camera") as page:
            await page.send_picture(*case)
            wrong = (await until(lambda: page.said("wrong")))[0]
            assert " " in wrong["what"]
        assert not show.host.browser_inputs["camera"].got

    run(main())


def test_one_page_at_a_time_and_the_next_when_it_goes(show):
    async def main():
        async with Client(show, "screen=main") as other:
            async with Client(show, "camera=camera"):
                await until(lambda: not other.said("hello")[-1]["inputs"]["camera"]["free"])
                async with aiohttp.ClientSession() as session:
                    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                        await session.ws_connect(show.url + "ws?camera=camera")
                    assert caught.value.status == 409
            await until(lambda: other.said("hello")[-1]["inputs"]["camera"]["free"])
        async with Client(show, "camera=camera") as second:
            await second.send_picture(header(1), planes(barcode(1, (320, 240))))
            await until(lambda: second.said("taken"))

    run(main())


def test_a_picture_as_large_as_8k_is_taken(show):
    async def main():
        async with Client(show, "camera=camera") as page:
            size = {"width": 7680, "height": 4320}
            await page.send_picture(header(1, **size), np.full(7680 * 4320 * 3 // 2, 128, np.uint8).tobytes())
            await until(lambda: page.said("taken"))

    run(main())
