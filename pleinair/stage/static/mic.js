// The page's microphone for the piece: asked for once, sent in chunks of 60 ms as 16-bit samples.
import { Wire, pack } from "./wire.js";

const CHUNK_S = 0.06;

/** `offer(mics)` with what the stage said in its hello: name -> {free}. */
export class Mic {
  constructor() {
    this._running = new Map();
    this._refused = false;
    this.trouble = "";
  }

  offer(mics) {
    this._mics = mics;
    for (const [name, end] of this._running) if (!mics[name]) end?.(); // the piece no longer asks for it
    for (const [name, { free }] of Object.entries(mics)) {
      if (free && !this._running.has(name) && !this._refused) this._start(name);
    }
  }

  /** A hand asks for it again, after it was refused. */
  again() {
    this._refused = false;
    if (this._mics) this.offer(this._mics);
  }

  async _start(name) {
    this._running.set(name, null);
    while (this._mics[name] && !this._refused) {
      try {
        if (!navigator.mediaDevices) throw new DOMException("this page is not served securely", "NotAllowedError");
        // What the page itself plays is taken out of what it hears; beyond that the piece hears what there is.
        const stream = await navigator.mediaDevices.getUserMedia({
          video: false, audio: { echoCancellation: true, noiseSuppression: false, autoGainControl: false },
        });
        this.trouble = "";
        await this._send(name, stream.getAudioTracks()[0], stream);
      } catch (error) {
        this.trouble = `${error.name}: ${error.message}`;
        console.info(`microphone for ${name}: ${this.trouble}`);
        this._refused = error.name === "NotAllowedError"; // a person said no: asked again only when a person asks (key c)
        if (this._refused) break;
      }
      // Unplugged or not there yet: again when a device comes, or after a while.
      await new Promise((resolve) => {
        navigator.mediaDevices.addEventListener("devicechange", resolve, { once: true });
        setTimeout(resolve, 3000);
      });
    }
    this._running.delete(name);
  }

  /** Until the track ends. */
  async _send(name, track, stream) {
    const context = new AudioContext({ latencyHint: "interactive" });
    const wire = new Wire({ mic: name }, {});
    const begun = context.resume();
    try {
      await context.audioWorklet.addModule("/static/mic-worklet.js");
      await begun;
      const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
      const size = Math.round(CHUNK_S * context.sampleRate);
      const chunks = new AudioWorkletNode(context, "chunks", { numberOfOutputs: 0, processorOptions: { size } });
      let number = 0, offset = Infinity;
      chunks.port.onmessage = ({ data: { end, samples } }) => {
        // The context's clock is not the page's. A chunk was there before it came: the shortest delay is taken for none.
        const now = performance.now() - end * 1000;
        offset = Math.min(now, Number.isFinite(offset) ? offset + 0.002 : now);
        const header = { type: "mic", input: name, n: number++, at: (end - samples.length / context.sampleRate) * 1000 + offset,
          codec: "pcm16", rate: context.sampleRate, channels: 1 };
        const [message, place] = pack(header, samples.length * 2);
        const view = new DataView(message.buffer, place);
        for (let i = 0; i < samples.length; i++) {
          view.setInt16(2 * i, Math.max(-32768, Math.min(32767, Math.round(samples[i] * 32767))), true);
        }
        wire.sendBytes(message);
      };
      source.connect(chunks);
      await new Promise((resolve) => {
        this._running.set(name, resolve);
        track.addEventListener("ended", resolve);
      });
    } finally {
      wire.close();
      track.stop();
      context.close();
    }
  }
}
