"""Beyond the loopback: encrypted, and nothing without the token."""

import ssl
import stat

import aiohttp
import pytest

from pleinair.stage.lan import local_addresses, qr

from .client import run
from .fakes import staged

pytest.importorskip("cryptography")


@pytest.fixture
def lan(tmp_path):
    try:
        it = staged(tmp_path, lan=("127.0.0.2",), folder=tmp_path / "stage")
    except Exception as error:  # a system on which only 127.0.0.1 is a loopback address
        pytest.skip(str(error))
    yield it
    it.stage.stop()


def test_tls_and_token_for_everything(lan, tmp_path):
    (address,) = lan.stage.lan_urls
    base = address.split("?")[0]
    assert address == f"{base}?token={lan.token}"
    context = ssl.create_default_context(cafile=tmp_path / "stage" / "certificate.pem")

    async def main():
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:

            async def status(method, path, **more):
                async with session.request(method, base + path, ssl=context, **more) as answer:
                    return answer.status

            own = {"Origin": base.rstrip("/")}
            token = {"X-Pleinair-Token": lan.token}
            assert await status("GET", f"?token={lan.token}") == 200
            assert await status("GET", "static/stage.js") == 200
            assert await status("GET", "api/report", cookies={"pleinair": lan.token}) == 200
            for path in ("", "desk", "api/report", "api/knobs", "metrics", "healthz", "?token=x"):
                assert await status("GET", path) == 403, path
            knob = {"json": {"value": 0.2}}
            assert await status("PUT", "api/knobs/strength", **knob) == 403
            assert (
                await status("PUT", "api/knobs/strength", headers=own, cookies={"pleinair": lan.token}, **knob) == 403
            )
            assert (
                await status("PUT", "api/knobs/strength", headers={"Origin": lan.url.rstrip("/"), **token}, **knob)
                == 403
            )
            assert await status("PUT", "api/knobs/strength", headers={**own, **token}, **knob) == 200
            assert await status("PUT", "api/knobs/strength", headers=token, **knob) == 200
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(base + "ws", ssl=context)
            async with session.ws_connect(f"{base}ws?token={lan.token}", ssl=context, headers=own) as ws:
                assert (await ws.receive_json())["type"] == "hello"

    run(main())
    assert stat.S_IMODE((tmp_path / "stage" / "key.pem").stat().st_mode) == 0o600


def test_plain_http_is_not_spoken_there(lan):
    async def main():
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(lan.stage.lan_urls[0].replace("https", "http"))

    run(main())


def test_the_certificate_is_kept_until_it_must_change(tmp_path):
    folder, seen, tokens = tmp_path / "stage", [], set()
    for addresses in (("127.0.0.2",), ("127.0.0.2",), ("127.0.0.2", "127.0.0.3")):
        it = staged(tmp_path, lan=addresses, folder=folder)
        it.stage.stop()
        seen.append((folder / "certificate.pem").read_bytes())
        tokens.add(it.token)
    assert seen[0] == seen[1] != seen[2]
    assert len(tokens) == 1  # a phone finds the piece again
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600


def test_addresses_are_private_and_never_the_loopback():
    assert all(not a.startswith("127.") for a in local_addresses())


def test_the_code_for_a_phone_is_text():
    pytest.importorskip("segno")
    code = qr("https://192.168.1.20:8765/?token=abc")
    assert len(code.splitlines()) > 10
