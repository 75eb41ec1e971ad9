"""Sound through the stage: what the piece says goes to the pages that listen, and falls silent when it is interrupted;
a page's microphone comes in."""

from __future__ import annotations

import asyncio
import json
import struct
import time

import numpy as np
import pytest

from pleinair.core.codec import decode
from pleinair.core.frame import Frame
from pleinair.core.graph import Graph, Input, Node, SourceNode
from pleinair.core.kinds import Audio, Event, Image, Sound
from pleinair.stage.host import SpeakerSpec
from pleinair.stage.sounds import messages

from .client import Client, run, until
from .fakes import staged

RATE = 24_000


class Ear:
    """A microphone's input: keeps what a page sent."""

    kind = Audio

    def __init__(self):
        self.got = []

    def deliver(self, raw, machine_ns):
        self.got.append((raw, machine_ns))


class Listener(Client):
    """Keeps the sound that it is sent."""

    async def _listen(self):
        self.sounds = []
        async for message in self.ws:
            if isinstance(message.data, bytes):
                (length,) = struct.unpack_from("<I", message.data)
                self.sounds.append((json.loads(message.data[4 : 4 + length]), message.data[4 + length :]))
            else:
                self.texts.append(json.loads(message.data))
                if self.texts[-1]["type"] == "clock":
                    await self.ws.send_json({"type": "clock", "n": self.texts[-1]["n"], "at": self.now()})


@pytest.fixture
def show(tmp_path):
    it = staged(tmp_path)
    host = it.host
    host.browser_inputs = {"mic": Ear()}
    host.speakers = [SpeakerSpec("speaker", "spoken", ("voice",))]
    nodes = {
        "mic": SourceNode("mic", None, Audio), "voice": Node("voice", [Input("mic", hot=True)], Event),
        "spoken": Node("spoken", [Input("mic", hot=True)], Audio),
        "draw": Node("draw", [Input("mic", hot=True)], Image),
    }  # fmt: skip
    host.graph = Graph(nodes, {"main": "draw"})
    it.stage.on_start(host.graph, None)
    yield it
    it.stage.stop()


def spoken(seconds: float, t_s: float, seq: int = 0) -> Frame:
    samples = np.linspace(-1, 1, int(seconds * RATE), dtype=np.float32)[:, None]
    return Frame(Sound(samples, RATE), "spoken", seq, int(t_s * 1e9))


def test_what_is_said_reaches_the_pages_that_listen_and_no_others(show):
    async def main():
        async with Listener(show, "sound=1") as page, Listener(show, "screen=main") as silent:
            assert (await until(lambda: page.said("hello")))[-1]["speakers"] == ["speaker"]
            await until(lambda: silent.said("hello"))
            show.stage.on_frame(spoken(1.2, 1.0))
            await until(lambda: len(page.sounds) == 3)
            assert silent.sounds == []
        header, _ = page.sounds[0]
        assert (header["speaker"], header["rate"], header["channels"], header["t_ns"]) == ("speaker", RATE, 1, 10**9)
        whole = np.frombuffer(b"".join(payload for _, payload in page.sounds), "<i2") / 32767
        assert np.abs(whole - spoken(1.2, 1.0).data.samples[:, 0]).max() < 1e-4

    run(main())


def test_an_interruption_hushes_it_and_what_was_thought_before_is_not_said_after(show):
    async def main():
        async with Listener(show, "sound=1") as page:
            await until(lambda: page.said("hello"))
            show.stage.on_frame(spoken(0.2, 1.0))
            await until(lambda: page.sounds)
            show.stage.on_frame(Frame({"voice": "started"}, "voice", 0, 2_000_000_000))
            assert (await until(lambda: page.said("hush")))[0]["speaker"] == "speaker"
            show.stage.on_frame(spoken(0.2, 1.0, 1))  # the sentence that the model was at
            show.stage.on_frame(spoken(0.2, 2.5, 2))
            await until(lambda: len(page.sounds) == 2)
            await asyncio.sleep(0)
        assert [header["seq"] for header, _ in page.sounds] == [0, 2]

    run(main())


def test_two_channels_stay_two_and_more_are_left_out():
    both = np.stack([np.full(100, 0.5), np.full(100, -0.5), np.zeros(100)], 1).astype(np.float32)
    (message,) = messages("speaker", Frame(Sound(both, RATE), "spoken", 0, 0))
    samples = np.frombuffer(message[-400:], "<i2").reshape(-1, 2)
    assert (samples == [[16384, -16384]]).all()


def header(n=1, **more):
    return {"type": "mic", "input": "mic", "n": n, "codec": "pcm16", "rate": 48_000, "channels": 1, **more}


def test_a_page_s_microphone_arrives_with_its_capture_time(show):
    samples = (np.sin(np.arange(960) * 0.1) * 20_000).astype("<i2")
    got = show.host.browser_inputs["mic"].got

    async def main():
        async with Client(show, "mic=mic") as page:
            assert (await until(lambda: page.said("hello")))[0]["inputs"] == {}
            await until(lambda: [c for c in page.said("clock") if "offset_ms" in c])
            captured = time.monotonic_ns() - 30_000_000
            await page.send_picture(header(at=captured / 1e6), samples.tobytes())
            await until(lambda: got)
            raw, machine_ns = got[0]
            assert abs(machine_ns - captured) < 3_000_000
            sound = decode(raw)
            assert sound.rate == 48_000 and np.array_equal(np.rint(sound.samples[:, 0] * 32768), samples)
            async with Client(show, "screen=main") as other:
                assert (await until(lambda: other.said("hello")))[0]["mics"] == {"mic": {"free": False}}

    run(main())


WRONG = [
    (header(rate=10), b"\0" * 40), (header(rate=10**9), b"\0" * 40), (header(channels=9), b"\0" * 36), (header(), b""),
    (header(), b"\0" * 3), (header(), b"\0" * 48_002), (header(codec="opus"), b"\0" * 40), (header("1"), b"\0" * 40),
    (header(input="camera"), b"\0" * 40), (header(at="now"), b"\0" * 40), ({**header(), "type": "camera"}, b"\0" * 40),
]  # fmt: skip


@pytest.mark.parametrize("case", WRONG, ids=lambda c: str(list(c[0].values())[1:])[:48])
def test_what_is_no_chunk_of_sound_is_refused_with_a_sentence(show, case):
    async def main():
        async with Client(show, "mic=mic") as page:
            await page.send_picture(*case)
            assert " " in (await until(lambda: page.said("wrong")))[0]["what"]
        assert not show.host.browser_inputs["mic"].got

    run(main())


def test_a_microphone_is_no_camera(show):
    async def main():
        async with Client(show, "mic=mic"):
            pass
        with pytest.raises(Exception, match="400"):
            async with Client(show, "camera=mic"):
                pass

    run(main())


def test_what_interrupts_a_model_is_no_port_of_it_and_a_speaker_knows_it(write_piece):
    """A piece with many knobs whose model is interrupted: the desk names the places, the speaker what hushes it."""
    from pleinair import assembly
    from pleinair.stage.show import Show

    folder = write_piece(
        "piece.source('mic')\npiece.knobs('styles', 26)\npiece.source('camera')\n"
        "piece.model('painting', reads={'image': 'camera', 'style_weights': 'styles'}, interrupt='mic')\n"
        "@piece.node\ndef hum(painting, mic) -> Audio:\n    return mic\n"
        "piece.sink('speaker', reads='hum')\npiece.draw(lambda painting: painting)\n",
        '[source.camera]\ndevice = "synthetic:room"\n[model.painting]\ncard = "multistyle26"\n',
    )
    show = Show(assembly.load(folder), watch=False)
    assert len(show.knobs[0].names) == 26
    assert show.speakers == [SpeakerSpec("speaker", "hum", ("mic",))]
