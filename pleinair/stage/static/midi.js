// Learning a controller (Web MIDI): hold a knob, turn a controller, and the two belong together in this browser.

const KEPT = "pleinair midi";

export class Midi {
  /** `moved(target, 0..1)`. A target is a knob's name, with its place after a line break where it has several. */
  constructor(moved) {
    this._moved = moved;
    this._learning = null;
    try {
      this._map = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    } catch {
      this._map = {};
    }
    if (Object.keys(this._map).length) {
      navigator.permissions?.query({ name: "midi" }).then((held) => held.state === "granted" && this._open()).catch(() => {});
    }
    addEventListener("keydown", (event) => event.key === "Escape" && this._forget());
  }

  /** What belongs to a target, in words. */
  name(target) {
    const found = Object.entries(this._map).find(([, to]) => to === target);
    return found ? `midi ${found[0].replace(":", " cc ")}` : "";
  }

  async learn(target, show) {
    this._forget();
    this._learning = { target, show };
    show("turn a controller …", true);
    const trouble = await this._open();
    if (trouble && this._learning?.target === target) {
      this._learning = null;
      show(trouble, false);
      setTimeout(() => show(this.name(target), false), 4000);
    }
  }

  _forget() {
    if (!this._learning) return;
    const { target, show } = this._learning;
    this._learning = null;
    show(this.name(target), false);
  }

  async _open() {
    if (this._access) return "";
    if (!navigator.requestMIDIAccess) return "this browser has no Web MIDI";
    try {
      this._access = await navigator.requestMIDIAccess();
    } catch {
      return "MIDI was not allowed";
    }
    const listen = () => this._access.inputs.forEach((input) => (input.onmidimessage = (event) => this._heard(event.data)));
    this._access.onstatechange = listen;
    listen();
    return this._access.inputs.size ? "" : "no controller is connected";
  }

  _heard([status, controller, value]) {
    if ((status & 0xf0) !== 0xb0) return; // control change only
    const key = `${(status & 0x0f) + 1}:${controller}`;
    if (this._learning) {
      const { target, show } = this._learning;
      this._learning = null;
      for (const [old, to] of Object.entries(this._map)) if (to === target) delete this._map[old];
      this._map[key] = target;
      localStorage.setItem(KEPT, JSON.stringify(this._map));
      show(this.name(target), false);
    }
    if (this._map[key]) this._moved(this._map[key], value / 127);
  }
}
