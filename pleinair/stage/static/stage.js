// The stage page: the work, full screen, and nothing else.
import { Wire } from "./wire.js";
import { Painter } from "./painter.js";

const canvas = document.getElementById("stage");
const painter = new Painter(canvas);
const asked = new URLSearchParams(location.search);
const screen = asked.get("screen") ?? "";
const listens = !asked.has("nosound");
let camera = null, mic = null, speaker = null;

const wire = new Wire({ screen: screen || "main", ...(listens ? { sound: "1" } : {}) }, {
  text(message) {
    if (message.type === "hello") {
      offerCamera(message.inputs);
      offerMic(message.mics ?? {});
      if (listens && message.speakers?.length) prepareSound();
    } else if (message.type === "hush") {
      speaker?.hush(message.speaker);
    }
  },
  binary(header, bytes, got) {
    if (header.type === "sound") speaker?.play(header, bytes);
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

// ---- sound: the microphone where the piece wants this page's, and what the piece says aloud

async function offerMic(mics) {
  if (asked.has("nomic") || (!mic && !Object.values(mics).some((one) => one.free))) return;
  const { Mic } = await import("./mic.js");
  mic ??= new Mic();
  mic.offer(mics);
}

async function prepareSound() {
  if (speaker) return;
  const { Speaker } = await import("./sound.js");
  speaker ??= new Speaker((stuck) => hint(stuck ? "touch for sound" : ""));
  speaker.prepare();
}

/** A line at the foot of the work, as long as the browser asks for a hand. */
function hint(text) {
  let line = document.getElementById("hint");
  if (!text) line?.remove();
  else if (!line) {
    line = document.createElement("output");
    line.id = "hint";
    document.body.append(line);
  }
  if (text) line.textContent = text;
}
for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => speaker?.prepare(), { passive: true });

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
    mic?.again();
  } else if (event.key === "s") {
    speaker?.mute(!speaker.muted);
    hint(speaker?.muted ? "sound is off" : "");
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
