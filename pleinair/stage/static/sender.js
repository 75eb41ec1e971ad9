// Sends a video track's frames while there is credit, and drops the others: delay never grows.
import { Wire, pack } from "./wire.js";

const MATRICES = { smpte170m: "bt601", bt470bg: "bt601", bt709: "bt709", "bt2020-ncl": "bt2020" };
const JPEG_QUALITY = 0.9;

export class Sender {
  constructor(name, track, wanted, here) {
    this._name = name;
    this._track = track;
    this._here = here;
    this._number = 0;
    this._flying = 0;
    this._credit = wanted.credit;
    this._busy = false;
    this._offset = Infinity;
    this._wanted = wanted;
    this.sent = this.dropped = 0;
    this._wire = new Wire({ camera: name }, {
      text: (message) => {
        if (message.type === "taken") this._flying = Math.max(0, this._flying - 1);
      },
      open: () => (this._flying = 0),
    });
  }

  /** Until the track ends. */
  async run() {
    try {
      if (typeof MediaStreamTrackProcessor === "function") await this._byProcessor();
      else await this._byVideo();
    } finally {
      this._wire.close();
      this._track.stop();
    }
  }

  stop() {
    this._track.stop(); // a track that is stopped by hand tells nobody: the reader only sees its stream end
    this._ended?.();
  }

  async _byProcessor() {
    const reader = new MediaStreamTrackProcessor({ track: this._track, maxBufferSize: 1 }).readable.getReader();
    for (;;) {
      const { value: frame, done } = await reader.read();
      if (done) return;
      // The frame's own time runs in a clock whose zero is not known. What is known: it was captured before it came.
      // The shortest delay seen so far is taken for none; that the device took longer than that, nobody can see.
      const now = performance.now();
      const offset = now - frame.timestamp / 1000;
      this._offset = Math.min(offset, Number.isFinite(this._offset) ? this._offset + 0.002 : offset);
      this._offer(frame, frame.timestamp / 1000 + this._offset);
    }
  }

  async _byVideo() {
    const video = document.createElement("video");
    video.muted = video.playsInline = true;
    video.srcObject = new MediaStream([this._track]);
    await video.play();
    await new Promise((resolve) => {
      this._ended = resolve;
      this._track.addEventListener("ended", resolve);
      const next = (now, about) => {
        this._offer(new VideoFrame(video, { timestamp: 0 }), about.captureTime ?? about.presentationTime);
        if (this._track.readyState === "live") video.requestVideoFrameCallback(next);
      };
      video.requestVideoFrameCallback(next);
    });
  }

  /** Takes the frame over. */
  async _offer(frame, at) {
    if (!this._wire.open || this._flying >= this._credit || this._busy) {
      this.dropped++;
      frame.close();
      return;
    }
    this._busy = true;
    try {
      const planes = this._here && (frame.format === "I420" || frame.format === "NV12");
      const message = planes ? await this._planes(frame, at) : await this._jpeg(frame, at);
      this._flying++;
      this._wire.sendBytes(message);
      this.sent++;
    } catch (error) {
      console.info(`a picture of ${this._name} was not sent: ${error.message}`);
    } finally {
      frame.close();
      this._busy = false;
    }
  }

  _header(more, at) {
    return { type: "camera", input: this._name, n: this._number++, at, ...more };
  }

  async _planes(frame, at) {
    const { x, y } = frame.visibleRect;
    const width = frame.visibleRect.width & ~1, height = frame.visibleRect.height & ~1;
    const luma = width * height, chroma = luma >> 2;
    const layout = frame.format === "I420"
      ? [{ offset: 0, stride: width }, { offset: luma, stride: width / 2 }, { offset: luma + chroma, stride: width / 2 }]
      : [{ offset: 0, stride: width }, { offset: luma, stride: width }];
    const header = { codec: frame.format.toLowerCase(), width, height };
    const matrix = MATRICES[frame.colorSpace?.matrix];
    if (matrix) header.matrix = matrix;
    if (typeof frame.colorSpace?.fullRange === "boolean") header.full = frame.colorSpace.fullRange;
    const [message, place] = pack(this._header(header, at), luma + 2 * chroma);
    await frame.copyTo(message.subarray(place), { rect: { x: x & ~1, y: y & ~1, width, height }, layout });
    return message;
  }

  async _jpeg(frame, at) {
    const shrink = Math.min(1, this._wanted.width / frame.displayWidth);
    const width = Math.round(frame.displayWidth * shrink), height = Math.round(frame.displayHeight * shrink);
    this._canvas ??= new OffscreenCanvas(width, height);
    if (this._canvas.width !== width || this._canvas.height !== height) Object.assign(this._canvas, { width, height });
    this._canvas.getContext("2d", { alpha: false }).drawImage(frame, 0, 0, width, height);
    const blob = await this._canvas.convertToBlob({ type: "image/jpeg", quality: JPEG_QUALITY });
    const [message, place] = pack(this._header({ codec: "jpeg" }, at), blob.size);
    message.set(new Uint8Array(await blob.arrayBuffer()), place);
    return message;
  }
}
