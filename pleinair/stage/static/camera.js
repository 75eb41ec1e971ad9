// The page's camera for the piece: asked for once, sent as planes on the same machine, as JPEG from elsewhere.
import { Sender } from "./sender.js";

const HERE = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname);

/** `inputs`: name -> {width, height, fps, credit} as the stage said hello with. Comes back when a camera goes away. */
export class Camera {
  constructor(inputs, secret) {
    this._inputs = inputs;
    this._secret = secret;
    this._senders = [];
    this.trouble = "";
    for (const name of Object.keys(inputs)) this._start(name);
    navigator.mediaDevices?.addEventListener?.("devicechange", () => this._again?.());
  }

  async _start(name) {
    const { width, height, fps } = this._inputs[name];
    for (;;) {
      try {
        if (!navigator.mediaDevices) throw new Error("this page is not served securely");
        const stream = await navigator.mediaDevices.getUserMedia({
          audio: false,
          video: { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: fps } },
        });
        this.trouble = "";
        const track = stream.getVideoTracks()[0];
        await new Sender(name, track, this._inputs[name], this._secret, HERE).run();
      } catch (error) {
        this.trouble = `${error.name}: ${error.message}`;
        console.info(`camera for ${name}: ${this.trouble}`);
      }
      // Gone, refused or not there yet: asked again when a device comes, or after a while.
      await new Promise((resolve) => {
        this._again = resolve;
        setTimeout(resolve, 3000);
      });
    }
  }
}
