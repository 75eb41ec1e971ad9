// The stage page: the work, full screen, and nothing else.
import { Wire } from "./wire.js";
import { Painter } from "./painter.js";

const canvas = document.getElementById("stage");
const painter = new Painter(canvas);
const asked = new URLSearchParams(location.search);
const screen = asked.get("screen") ?? "";
let camera = null;

const wire = new Wire(screen ? { screen } : { screen: "main" }, {
  text(message) {
    if (message.type === "hello") offerCamera(message.inputs);
  },
  binary(header, bytes, got) {
    if (header.type !== "frame") return;
    painter.paint(wire, header, bytes, got, (painted) => {
      if (wire.offset !== null) age.add(painted + wire.offset - header.t_ns / 1e6);
    });
  },
});

// ---- the camera, where the piece wants this page's

async function offerCamera(inputs) {
  if (asked.has("nocamera") || (!camera && !Object.values(inputs).some((input) => input.free))) return;
  const { Camera } = await import("./camera.js");
  camera ??= new Camera();
  camera.offer(inputs);
}

// ---- the age in the corner, steadied over half a second

const age = {
  sum: 0, count: 0, since: performance.now(), label: null,
  add(ms) {
    this.sum += ms;
    this.count++;
    const now = performance.now();
    if (now - this.since < 500) return;
    if (this.label) this.label.textContent = `${Math.round(this.sum / this.count)} ms`;
    this.sum = this.count = 0;
    this.since = now;
  },
  toggle() {
    if (this.label) {
      this.label.remove();
      this.label = null;
      return;
    }
    this.label = document.createElement("output");
    this.label.id = "age";
    this.label.textContent = "… ms";
    document.body.append(this.label);
  },
};
if (asked.has("age")) age.toggle();

// ---- hands

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.key === "f") {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen({ navigationUI: "hide" }).catch(() => {});
  } else if (event.key === "d") {
    window.open("/desk", "pleinair-desk");
  } else if (event.key === "m") {
    age.toggle();
  } else if (event.key === "c") {
    camera?.again();
  }
});
document.addEventListener("dblclick", () => document.documentElement.requestFullscreen?.().catch(() => {}));

let stillness = 0;
function moved() {
  document.body.classList.remove("still");
  clearTimeout(stillness);
  stillness = setTimeout(() => document.body.classList.add("still"), 2000);
}
for (const kind of ["pointermove", "pointerdown"]) document.addEventListener(kind, moved, { passive: true });
moved();

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch { /* no battery for it, or the page is not visible: asked again when it is */ }
}
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && stayAwake());
stayAwake();
