// The page's camera for the piece: asked for once, sent as planes on the same machine, as JPEG from elsewhere.
import { Sender } from "./sender.js";

const HERE = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);

/** `offer(inputs)` with what the stage said in its hello: name -> {width, height, fps, credit, free}. */
export class Camera {
  constructor() {
    this._running = new Set();
    this._senders = new Map();
    this._refused = false;
    this.trouble = "";
  }

  offer(inputs) {
    this._inputs = inputs;
    for (const [name, sender] of this._senders) if (!inputs[name]) sender.stop(); // the piece no longer asks for it
    for (const [name, wanted] of Object.entries(inputs)) {
      if (wanted.free && !this._running.has(name) && !this._refused) this._start(name);
    }
  }

  /** A hand asks for it again, after it was refused. */
  again() {
    this._refused = false;
    if (this._inputs) this.offer(this._inputs);
  }

  async _start(name) {
    this._running.add(name);
    while (this._inputs[name]) {
      const wanted = this._inputs[name];
      try {
        if (!navigator.mediaDevices) throw new DOMException("this page is not served securely", "NotAllowedError");
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: false,
          video: { width: { ideal: wanted.width }, height: { ideal: wanted.height }, frameRate: { ideal: wanted.fps } },
        });
        this.trouble = "";
        const sender = new Sender(name, stream.getVideoTracks()[0], wanted, HERE);
        this._senders.set(name, sender);
        await sender.run();
      } catch (error) {
        this.trouble = `${error.name}: ${error.message}`;
        console.info(`camera for ${name}: ${this.trouble}`);
        if (error.name === "NotAllowedError") { // a person said no: asked again only when a person asks (key c)
          this._refused = true;
          break;
        }
      }
      // Unplugged, in use or not there yet: again when a device comes, or after a while.
      await new Promise((resolve) => {
        navigator.mediaDevices.addEventListener("devicechange", resolve, { once: true });
        setTimeout(resolve, 3000);
      });
    }
    this._running.delete(name);
  }
}
