"""The pages in a real Chromium: what is painted, how old it is, hands, presets, drops, a server that goes."""

import time
from statistics import median

import cv2
import numpy as np
import pytest

from pleinair.core.frame import Frame
from pleinair.core.graph import Input
from pleinair.core.kinds import Event, Figure, Landmarks
from pleinair.stage.host import KnobSpec

from .conftest import SHOTS
from .fakes import READ_BARCODE, ModelNode, Numbered, ask, staged, until

pytestmark = pytest.mark.browser

# At each display refresh: which picture is on the canvas, and the wall's time.
WATCH = """() => {
  const read = () => READ;
  window.seen = [];
  const look = () => {
    const number = read();
    if (number !== window.last) seen.push([number, performance.timeOrigin + performance.now()]);
    window.last = number;
    if (seen.length < 2000) requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}""".replace("READ", READ_BARCODE)

PIXELS = "(box) => Array.from(document.getElementById('stage').getContext('2d').getImageData(...box).data)"


def _showing(page):
    return until(lambda: page.evaluate("document.getElementById('stage').width") >= 320, 15)


@pytest.fixture
def show(stage):
    pictures = Numbered(stage.host, fps=30)
    yield stage, pictures
    pictures.close()


def test_pictures_are_painted_and_their_age_is_what_is_seen_from_outside(show, open_page):
    it, pictures = show
    page = open_page(it.url)
    _showing(page)
    page.evaluate(WATCH)
    until(lambda: page.evaluate("seen.length") > 15)
    page.evaluate("seen.length = 0")
    it.stage.glass_ages.all.__init__()
    until(lambda: page.evaluate("seen.length") >= 90, 15)
    glass = it.stage.glass()
    outside = sorted(at - pictures.shown[n][1] * 1e3 for n, at in page.evaluate("seen") if n in pictures.shown)
    assert len(outside) >= 80
    assert abs(glass["p50"] - median(outside)) <= 10, (glass, median(outside))
    assert 0 < glass["p50"] < 60


def test_the_canvas_holds_the_picture_that_was_made(show, open_page):
    it, pictures = show
    page = open_page(it.url)
    _showing(page)
    pictures.close()
    picture = cv2.GaussianBlur(np.random.default_rng(5).integers(0, 255, (240, 320, 3), np.uint8), (0, 0), 2)
    frame = it.host.show(picture)
    screen = it.stage.screens["main"]
    until(lambda: screen.viewers[0].last is frame and not screen.viewers[0].flights)
    pixels = page.evaluate(PIXELS, [0, 0, 320, 240])
    shown = np.array(pixels).reshape(240, 320, 4)[..., :3].astype(float)
    assert 10 * np.log10(255**2 / np.mean((shown - picture) ** 2)) >= 36


def test_the_stage_is_one_canvas_and_shows_its_age_on_demand(show, open_page):
    it, _ = show
    page = open_page(it.url)
    _showing(page)
    assert page.evaluate("[...document.body.children].map(e => e.tagName + '#' + e.id)") == ["CANVAS#stage"]
    page.keyboard.press("m")

    def agrees():  # what the page shows and what the server reckoned in the last second
        shown = (page.locator("#age").text_content() or "").split()[0]
        lately = [p["age"] for p in list(it.stage.glass_ages.points)[-6:] if "age" in p]
        return shown.isdigit() and lately and min(lately) - 10 < int(shown) < max(lately) + 10

    until(agrees)
    page.screenshot(path=SHOTS / "stage-age.png")
    page.keyboard.press("m")
    assert page.locator("#age").count() == 0
    until(lambda: page.evaluate("document.body.classList.contains('still')"))
    assert page.evaluate("getComputedStyle(document.body).cursor") == "none"


def test_a_restarted_server_is_found_again_behind_the_held_picture(tmp_path, open_page):
    it = staged(tmp_path)
    port = int(it.url.rsplit(":", 1)[1].strip("/"))
    it.host.show(np.full((240, 320, 3), (200, 40, 90), np.uint8))
    page = open_page(it.url)
    _showing(page)

    def middle():
        return page.evaluate(PIXELS, [160, 120, 1, 1])

    until(lambda: middle()[0] > 190)
    it.stage.stop()
    held = middle()
    assert abs(np.array(held[:3]) - (200, 40, 90)).max() < 6
    again = staged(tmp_path, port=port)  # with another token, as a piece that is run again
    again.host.show(np.full((240, 320, 3), (20, 180, 60), np.uint8))
    began = time.monotonic()
    until(lambda: middle()[1] > 170)
    assert time.monotonic() - began < 4
    again.stage.stop()


def test_a_camera_in_the_page_goes_through_the_piece_and_back(tmp_path, open_page):
    it = staged(tmp_path, browser=True)
    page = open_page(it.url)
    _showing(page)
    page.evaluate(WATCH)
    until(lambda: page.evaluate("seen.length") > 60, 20)
    page.evaluate("seen.length = 0")
    it.stage.glass_ages.all.__init__()
    began = time.monotonic()
    until(lambda: page.evaluate("seen.length") >= 90, 15)
    rate = 90 / (time.monotonic() - began)
    glass = it.stage.glass()
    raw, _, _ = it.host.browser_inputs["camera"].got[-1]
    assert raw.codec in ("i420", "nv12")  # no JPEG on the way in: both ends are on this machine
    assert glass["p50"] < 3 * 1000 / rate, "nothing queues up (`python -m bench browser` says how many milliseconds)"
    numbers = [n for n, _ in page.evaluate("seen")]
    assert all(0 < (b - a) % 300 < 8 for a, b in zip(numbers[:80], numbers[1:80], strict=False))  # forward, few skipped
    it.stage.stop()


def _knob(page, name):
    return page.locator(f'[data-knob="{name}"]')


def test_knobs_move_both_ways(show, open_page):
    it, _ = show
    desk = open_page(it.url + "desk", width=1440, height=900)
    until(lambda: _knob(desk, "strength").count() == 1)
    box = _knob(desk, "strength").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def value():
        return it.host.value("strength")

    desk.mouse.move(x, y)
    desk.mouse.down()
    desk.mouse.move(x - box["width"] * 0.25, y, steps=5)
    desk.mouse.up()
    until(lambda: abs(value() - 0.55) < 0.03)  # a drag begins where the value is: nothing jumps to the finger
    desk.mouse.wheel(0, -100)
    until(lambda: abs(value() - 0.57) < 0.03)
    _knob(desk, "strength").dblclick()
    until(lambda: abs(value() - 0.8) < 1e-6)
    _knob(desk, "strength").press("ArrowDown")
    until(lambda: abs(value() - 0.78) < 1e-6)
    _knob(desk, "strength").press("Shift+ArrowDown")
    until(lambda: abs(value() - 0.778) < 1e-6)
    _knob(desk, "strength").fill("0.1")  # as assistive technology sets it
    until(lambda: abs(value() - 0.1) < 1e-6)
    desk.get_by_label("strength, typed").fill("0,3333")
    desk.get_by_label("strength, typed").press("Enter")
    until(lambda: abs(value() - 0.3333) < 1e-6)
    desk.get_by_label("strength, typed").fill("7")
    desk.get_by_label("strength, typed").press("Enter")
    until(lambda: "between 0 and 1" in desk.locator("#knobs").inner_text())
    assert abs(value() - 0.3333) < 1e-6
    ask(it, "PUT", "/api/knobs/strength", {"value": 0.95})
    until(lambda: float(_knob(desk, "strength").input_value()) > 0.94)


def test_a_grid_is_played(show, open_page):
    it, _ = show
    desk = open_page(it.url + "desk", width=1440, height=900)
    until(lambda: desk.locator('[data-knob="styles"] .cell').count() == 26)
    cell = desk.locator('[data-knob="styles"] .cell').nth(4)
    cell.scroll_into_view_if_needed()
    box = cell.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    desk.mouse.move(x, y)
    desk.mouse.down()
    desk.mouse.move(x, y - box["height"] / 2, steps=6)
    desk.mouse.up()
    until(lambda: abs(it.host.value("styles")[4] - 0.4) < 0.05)
    assert it.host.value("styles")[0] == 1  # the others are as they were
    desk.mouse.click(x, y)  # a tap plays one alone
    until(lambda: it.host.value("styles")[4] == 1 and it.host.value("styles").sum() == 1)
    desk.get_by_label("style 9", exact=True).press("5")
    until(lambda: it.host.value("styles")[8] == 0.5)
    desk.get_by_label("styles to its default").click()
    until(lambda: it.host.value("styles")[0] == 1 and it.host.value("styles").sum() == 1)


def test_voices_stand_under_their_languages_by_plain_names_and_are_played(show, open_page):
    it, _ = show
    names = ("am_adam", "af_heart", "bf_emma")
    it.host.knobs.append(KnobSpec("voices", (0.0, 0.0, 0.0), names=names))
    it.host._values["voices"] = np.zeros(3, np.float32)
    desk = open_page(it.url + "desk", width=1440, height=1400)
    voices = desk.locator('[data-knob="voices"]')
    until(lambda: voices.locator("h4").all_inner_texts() == ["American", "British"])
    assert voices.locator("b").all_inner_texts() == ["Heart f", "Adam m", "Emma f"]
    box = voices.locator('[data-index="1"]').bounding_box()
    desk.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    until(lambda: it.stage.knobs.value("voices") == [0, 1, 0])  # the places are the card's, whatever is shown first


def test_a_refusal_stands_at_the_head_of_the_desk(show, open_page):
    it, _ = show
    desk = open_page(it.url + "desk")
    until(lambda: desk.locator("#notices").inner_text())
    assert desk.locator("#refused").is_hidden()
    it.host.notices.append(
        {"name": "licences", "text": "exhibit-paid: refused. Why.", "verdict": "refuse", "use": "exhibit-paid"}
    )
    until(lambda: desk.locator("#refused").is_visible())
    assert desk.locator("#refused").inner_text() == "exhibit-paid: refused"


def test_what_is_found_is_a_small_picture_and_what_happened_is_in_words(show, open_page):
    it, _ = show
    nodes = it.host.graph.nodes
    nodes["hand"] = ModelNode("hand", [Input("camera", hot=True)], Landmarks)
    nodes["voice"] = ModelNode("voice", [Input("camera", hot=True)], Event)
    desk = open_page(it.url + "desk", width=1440, height=1400)
    until(lambda: desk.locator('[data-stream="voice"]').count())
    room = Frame(np.full((240, 320, 3), 120, np.uint8), "camera", 0, 0)
    hand = Figure([[0.2, 0.2], [0.8, 0.8]], ["wrist", "index_tip"], 0.9)
    it.stage.on_frame(Frame(Landmarks([hand]), "hand", 0, 0, parent=room))
    it.stage.on_frame(Frame({"voice": "started", "seconds": 0.06, "confidence": 0.9}, "voice", 0, 0))
    until(lambda: desk.locator('[data-stream="voice"] .words').inner_text() == "started\nseconds 0.06")
    assert "{" not in desk.locator('[data-stream="voice"]').inner_text()
    until(lambda: desk.locator('[data-stream="hand"] canvas.look').evaluate(COLOURFUL) > 5)


COLOURFUL = """(canvas) => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 0; i < data.length; i += 4) count += data[i] - data[i + 2] > 60;
  return count;
}"""
"""How many pixels are orange: the joints."""


def test_presets_are_held_to_store_and_tapped_to_recall(show, open_page):
    it, _ = show
    desk = open_page(it.url + "desk", width=1440, height=900)
    cell = desk.locator('[data-preset="3"]')
    until(lambda: cell.count() == 1 and _knob(desk, "strength").count() == 1)
    cell.click(delay=800)
    until(lambda: "stored" in cell.get_attribute("class"))
    ask(it, "PUT", "/api/knobs/strength", {"value": 0.0})
    desk.get_by_label("cross-fade, seconds").fill("0.5")
    it.host.pushed.clear()
    cell.click()
    until(lambda: it.host.value("strength") == 0.8)
    assert len([p for p in it.host.pushed if p[1] == "strength"]) >= 6
    cell.press("Delete")
    until(lambda: "stored" not in cell.get_attribute("class"))


def test_a_picture_is_dropped_anywhere(show, open_page):
    it, _ = show
    desk = open_page(it.url + "desk", width=1440, height=900)
    until(lambda: desk.locator("#pictures").is_visible())
    blob = list(cv2.imencode(".png", np.full((50, 70, 3), 99, np.uint8))[1].tobytes())
    drop = """([bytes, name]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], name, {type: 'image/png'}));
      for (const kind of ['dragenter', 'dragover', 'drop'])
        document.getElementById('chain').dispatchEvent(
          new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    desk.evaluate(drop, [blob, "horse.png"])
    until(lambda: it.host.pictures == [("painting", (50, 70, 3))])
    until(lambda: "horse.png is a style of painting now" in desk.locator("#pictures").inner_text())
    desk.evaluate(drop, [[1, 2, 3], "notes.txt"])
    until(lambda: "not a picture that can be used" in desk.locator("#pictures").inner_text())


def test_the_desk_shows_every_stream_every_fault_and_swaps_a_model(show, open_page):
    from pleinair.core.errors import Fault

    it, _ = show
    fault = Fault("hands stopped: no such file", where="piece.py, line 7", now="held", hint="fetch")
    it.stage.on_fault("hands", fault, 3)
    desk = open_page(it.url + "desk", width=1440, height=900)
    until(lambda: desk.locator("[data-stream]").count() == 6)
    assert {e.get_attribute("data-stream") for e in desk.locator("[data-stream]").all()} == set(it.host.graph.nodes)
    row = desk.locator('[data-stream="painting"]')
    until(lambda: "8.1" in row.inner_text() and "12 skipped" in row.inner_text())
    until(lambda: "hands stopped: no such file× 3" in desk.locator("#faults").inner_text())
    until(lambda: "bf16" in desk.locator("#models").inner_text())
    desk.get_by_label("card of painting").select_option("anystyle")
    until(lambda: it.host.swapped == [("painting", "anystyle")])
    until(lambda: desk.locator("#age-ms").inner_text() not in ("–", ""))


@pytest.mark.parametrize("width", [360, 820, 1440])
def test_the_desk_fits_and_can_be_touched(show, open_page, width):
    it, _ = show
    desk = open_page(it.url + "desk", width=width, height=800)
    until(lambda: desk.locator("#age-ms").inner_text() not in ("–", "") and desk.locator(".cell").count() == 26)
    desk.screenshot(path=SHOTS / f"desk-{width}.png", full_page=True)
    assert desk.evaluate("document.documentElement.scrollWidth") <= width
    small = desk.evaluate("""() => [...document.querySelectorAll('button, select, input[type=range], #pictures label')]
      .map(e => [e.outerHTML.slice(0, 60), e.getBoundingClientRect()])
      .filter(([, box]) => box.width && (box.width < 44 || box.height < 44)).map(([what]) => what)""")
    assert not small
    unnamed = desk.evaluate("""() => [...document.querySelectorAll('button, select, input, canvas[role]')]
      .filter(e => !e.getAttribute('aria-label') && !e.textContent.trim() && !e.labels?.length)
      .map(e => e.outerHTML.slice(0, 80))""")
    assert not unnamed


def test_a_hostile_page_in_the_same_browser_gets_nowhere(show, open_page, tmp_path):
    """Another origin (another port) in a real browser: reads nothing, changes nothing, connects nowhere."""
    it, _ = show
    evil = staged(tmp_path / "evil")
    page = open_page(evil.url + "?nocamera", bypass_csp=True)
    before = it.host.value("strength")
    tried = page.evaluate(
        """async (url) => {
      const out = {};
      const put = {method: 'PUT', body: '{"value": 0}', headers: {'Content-Type': 'application/json'}};
      const tries = {read: () => fetch(url + 'api/report'), put: () => fetch(url + 'api/knobs/strength', put),
        blind: () => fetch(url + 'api/presets/1/recall', {method: 'POST', mode: 'no-cors', body: 'x'})
          .then(r => { throw r.type })};
      for (const [name, go] of Object.entries(tries)) out[name] = await go().then(() => 'in', () => 'refused');
      out.socket = await new Promise(r => {
        const s = new WebSocket(url.replace('http', 'ws') + 'ws');
        s.onopen = () => r('in');
        s.onerror = () => r('refused');
      });
      return out;
    }""",
        it.url,
    )
    assert set(tried.values()) == {"refused"}, tried
    assert it.host.value("strength") == before
    assert it.stage.gate.refused >= 3
    evil.stage.stop()


def test_our_own_pages_are_never_refused(show, open_page):
    it, _ = show
    port = it.url.rsplit(":", 1)[1]
    for name in ("127.0.0.1", "localhost"):
        stage, desk = open_page(f"http://{name}:{port}"), open_page(f"http://{name}:{port}desk", width=1200)
        _showing(stage)
        until(lambda desk=desk: _knob(desk, "strength").count() == 1)
        desk.locator('[data-preset="1"]').press("Shift+Enter")
        until(lambda desk=desk: "stored" in desk.locator('[data-preset="1"]').get_attribute("class"))
        desk.locator('[data-preset="1"]').press("Delete")
        until(lambda desk=desk: "stored" not in desk.locator('[data-preset="1"]').get_attribute("class"))
    assert it.stage.gate.refused == 0
