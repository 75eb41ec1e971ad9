// Gathers what the microphone gives into chunks, in the audio thread.
class Chunks extends AudioWorkletProcessor {
  constructor({ processorOptions: { size } }) {
    super();
    this._held = new Float32Array(size);
    this._count = 0;
  }

  process([[channel]]) {
    if (!channel) return true; // nothing is connected yet
    for (let at = 0; at < channel.length;) {
      const more = Math.min(channel.length - at, this._held.length - this._count);
      this._held.set(channel.subarray(at, at + more), this._count);
      this._count += more;
      at += more;
      if (this._count === this._held.length) {
        this.port.postMessage({ end: (currentFrame + at) / sampleRate, samples: this._held.slice() });
        this._count = 0;
      }
    }
    return true;
  }
}
registerProcessor("chunks", Chunks);
