"""What a page elsewhere asks is refused; our own pages and programs on this machine are let in."""

import pytest

from .fakes import ask

OWN = "http://127.0.0.1:{port}"


def _port(it):
    return it.url.rsplit(":", 1)[1].strip("/")


UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
KNOB = ("PUT", "/api/knobs/strength", {"value": 0.1})
# name, method, path, body, headers, host; {port} and {token} are filled in
HOSTILE = [
    ("rebinding: a name that points here", "GET", "/", None, {}, "evil.example:{port}"),
    ("rebinding: to the report", "GET", "/api/report", None, {}, "evil.example"),
    ("rebinding: a change", *KNOB, {}, "evil.example:{port}"),
    ("rebinding: the socket", "GET", "/ws", None, UPGRADE, "evil.example:{port}"),
    ("no port in Host", "GET", "/api/knobs", None, {}, "127.0.0.1"),
    ("another port in Host", "GET", "/api/knobs", None, {}, "127.0.0.1:1"),
    ("no Host at all", "GET", "/api/knobs", None, {}, ""),
    ("a name that begins like ours", "GET", "/", None, {}, "127.0.0.1.evil.example:{port}"),
    ("a name that ends like ours", "GET", "/", None, {}, "evil-localhost:{port}"),
    ("a user name in Host", "GET", "/", None, {}, "127.0.0.1:{port}@evil.example"),
    ("0.0.0.0", "GET", "/", None, {}, "0.0.0.0:{port}"),
    ("another loopback address", "GET", "/", None, {}, "127.0.0.2:{port}"),
    ("two Hosts", "GET", "/", None, [("Host", "evil.example")], None),
    ("a page elsewhere reads", "GET", "/api/report", None, {"Origin": "https://evil.example"}, None),
    ("a page elsewhere changes a knob", *KNOB, {"Origin": "https://evil.example"}, None),
    ("... even with the token", *KNOB, {"Origin": "https://evil.example", "X-Pleinair-Token": "{token}"}, None),
    ("Origin null (a sandboxed frame, a file)", *KNOB, {"Origin": "null", "X-Pleinair-Token": "{token}"}, None),
    ("our address, another port", *KNOB, {"Origin": "http://127.0.0.1:1", "X-Pleinair-Token": "{token}"}, None),
    ("our address by TLS", *KNOB, {"Origin": "https://127.0.0.1:{port}", "X-Pleinair-Token": "{token}"}, None),
    ("our other name", *KNOB, {"Origin": "http://localhost:{port}", "X-Pleinair-Token": "{token}"}, None),
    (
        "an origin that begins like ours",
        *KNOB,
        {"Origin": "http://127.0.0.1:{port}.evil.example", "X-Pleinair-Token": "{token}"},
        None,
    ),
    (
        "two Origins",
        *KNOB,
        [("Origin", OWN), ("Origin", "https://evil.example"), ("X-Pleinair-Token", "{token}")],
        None,
    ),
    ("Sec-Fetch-Site cross-site", "GET", "/api/report", None, {"Sec-Fetch-Site": "cross-site"}, None),
    ("Sec-Fetch-Site same-site", "GET", "/", None, {"Sec-Fetch-Site": "same-site"}, None),
    ("an image tag elsewhere", "GET", "/static/stage.js", None, {"Sec-Fetch-Site": "cross-site"}, None),
    ("the socket from elsewhere", "GET", "/ws", None, {**UPGRADE, "Origin": "https://evil.example"}, None),
    (
        "the socket from elsewhere with the token",
        "GET",
        "/ws?token={token}",
        None,
        {**UPGRADE, "Origin": "https://evil.example"},
        None,
    ),
    ("the socket with Origin null", "GET", "/ws?token={token}", None, {**UPGRADE, "Origin": "null"}, None),
    ("the socket from our page without a token", "GET", "/ws", None, {**UPGRADE, "Origin": OWN}, None),
    ("the socket from our page with a wrong token", "GET", "/ws?token=x", None, {**UPGRADE, "Origin": OWN}, None),
    ("our page without its token", *KNOB, {"Origin": OWN}, None),
    ("our page with a wrong token", *KNOB, {"Origin": OWN, "X-Pleinair-Token": "guess"}, None),
    ("our page with half the token", *KNOB, {"Origin": OWN, "X-Pleinair-Token": "{half}"}, None),
    ("a token that is not ASCII", *KNOB, {"Origin": OWN, "X-Pleinair-Token": "\xe9\xe9"}, None),
    ("only a cookie: forged by another page", *KNOB, {"Origin": OWN, "Cookie": "pleinair={token}"}, None),
    (
        "a form",
        "POST",
        "/api/presets/1/recall",
        b"seconds=1",
        {"Content-Type": "application/x-www-form-urlencoded"},
        None,
    ),
    ("a form dressed as text", "PUT", "/api/knobs/strength", b'{"value": 0.1}', {"Content-Type": "text/plain"}, None),
    (
        "asking leave across origins",
        "OPTIONS",
        "/api/knobs/strength",
        None,
        {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"},
        None,
    ),
    ("TRACE", "TRACE", "/", None, {}, None),
    ("out of the folder", "GET", "/static/../server.py", None, {}, None),
    ("out of the folder, coded", "GET", "/static/%2e%2e/%2e%2e/core/frame.py", None, {}, None),
    ("an absolute path", "GET", "/static//etc/passwd", None, {}, None),
    ("a page without its token filled in", "GET", "/static/desk.html", None, {}, None),
]


@pytest.mark.parametrize("case", HOSTILE, ids=[case[0] for case in HOSTILE])
def test_hostile_requests_are_refused_and_change_nothing(stage, case):
    _, method, path, body, headers, host = case
    before, pushed = stage.host.value("strength"), len(stage.host.pushed)
    words = {"port": _port(stage), "token": stage.token, "half": stage.token[: len(stage.token) // 2]}

    def fill(text):
        return text.format(**words) if isinstance(text, str) else text

    pairs = headers.items() if isinstance(headers, dict) else headers
    status, said, got = ask(stage, method, fill(path), body, [(n, fill(v)) for n, v in pairs], fill(host))
    assert 400 <= status < 500, (status, said)
    assert "Access-Control-Allow-Origin" not in got
    assert stage.host.value("strength") == before
    assert len(stage.host.pushed) == pushed
    if isinstance(said, dict):
        assert list(said) == ["what", "where", "now", "hint"]
        assert stage.token not in str(said)


def test_own_pages_and_programs_are_let_in(stage):
    port = _port(stage)
    for name in ("127.0.0.1", "localhost", "[::1]", "LOCALHOST"):
        own = {
            "Origin": f"http://{name.lower()}:{port}",
            "Sec-Fetch-Site": "same-origin",
            "X-Pleinair-Token": stage.token,
        }
        assert ask(stage, "GET", "/", None, {"Sec-Fetch-Site": "none"}, f"{name}:{port}")[0] == 200
        assert ask(stage, "GET", "/api/report", None, {"Sec-Fetch-Site": "same-origin"}, f"{name}:{port}")[0] == 200
        assert ask(stage, *KNOB, own, f"{name}:{port}")[0] == 200
    assert ask(stage, *KNOB)[0] == 200  # a program sends no Origin and needs no token


def test_pages_come_with_a_strict_policy(stage):
    for path in ("/", "/desk"):
        status, said, headers = ask(stage, "GET", path)
        assert status == 200
        assert stage.token.encode() in said
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert b"://" not in said  # nothing from elsewhere


def test_files_name_no_other_place():
    from importlib.resources import files

    for entry in (files("pleinair.stage") / "static").iterdir():
        if entry.name.endswith((".js", ".css", ".html")):
            text = entry.read_text().replace("http://www.w3.org/2000/svg", "")
            assert "http://" not in text, entry.name
            assert "https://" not in text, entry.name


def test_a_title_cannot_become_markup(stage):
    stage.host.title = '<script>alert(1)</script>"'
    _, said, _ = ask(stage, "GET", "/")
    assert b"<script>alert" not in said
