// What the piece says aloud: played as it comes, without a seam, and silent at once when it is interrupted.

const LEAD_S = 0.06; // a stream of short chunks begins so much later, so that a late one leaves no hole
const SHORT_S = 0.1; // a chunk that is shorter belongs to a stream that comes at its own pace
const BEHIND_S = 0.5; // such a stream never waits longer than this: what is more was two clocks drifting apart

export class Speaker {
  /** `stuck(waiting)`: whether the browser holds the sound back until a hand has touched the page. */
  constructor(stuck) {
    this._stuck = stuck;
    this._voices = new Map(); // speaker -> {until, playing}
    this.muted = false;
  }

  /** A chunk of 16-bit samples as the stage sends them. */
  play(header, bytes) {
    if (this.muted || header.codec !== "pcm16") return;
    const context = (this._context ??= this._open(header.rate));
    if (context.state !== "running") { // what cannot be heard now is not said later
      context.resume();
      this._stuck(true);
      return;
    }
    const { rate, channels } = header, frames = bytes.length / 2 / channels;
    const buffer = context.createBuffer(channels, frames, rate), view = new DataView(bytes.buffer, bytes.byteOffset);
    for (let c = 0; c < channels; c++) {
      const samples = buffer.getChannelData(c);
      for (let i = 0; i < frames; i++) samples[i] = view.getInt16(2 * (i * channels + c), true) / 32768;
    }
    const voice = this._voices.get(header.speaker) ?? { until: 0, playing: new Set() };
    this._voices.set(header.speaker, voice);
    const now = context.currentTime, short = buffer.duration < SHORT_S;
    if (short && voice.until - now > BEHIND_S) return;
    const at = voice.until > now ? voice.until : now + (short ? LEAD_S : 0.005);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(context.destination);
    source.onended = () => voice.playing.delete(source);
    source.start(at);
    voice.playing.add(source);
    voice.until = at + buffer.duration;
  }

  hush(speaker) {
    const voice = this._voices.get(speaker);
    if (!voice) return;
    for (const source of voice.playing) source.stop();
    voice.playing.clear();
    voice.until = 0;
  }

  mute(muted) {
    this.muted = muted;
    if (muted) for (const speaker of this._voices.keys()) this.hush(speaker);
  }

  /** Ready before the first word, where the browser lets it. */
  prepare() {
    this._context ??= this._open();
    if (this._context.state !== "running") this._context.resume().catch(() => {});
    setTimeout(() => this._stuck(this._context.state !== "running"), 300);
  }

  _open(rate) {
    const context = new AudioContext({ latencyHint: "interactive", ...(rate ? { sampleRate: rate } : {}) });
    context.onstatechange = () => this._stuck(context.state !== "running");
    return context;
  }
}
