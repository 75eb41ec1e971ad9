// Draws pictures as they come and tells when they were really painted.

const SMALL = 480 * 360; // pixels: up to here the stage sends full colour resolution, which ImageDecoder draws exactly

/** Small ones by ImageDecoder (half the delay of createImageBitmap), others by createImageBitmap (smoother colours). */
async function decode(bytes, pixels) {
  if (pixels <= SMALL && typeof ImageDecoder === "function") {
    const decoder = new ImageDecoder({ data: bytes, type: "image/jpeg", preferAnimation: false });
    try {
      return (await decoder.decode()).image;
    } finally {
      decoder.close();
    }
  }
  return createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
}

/** Decodes and draws onto `canvas` at once; `done({got, drawn, painted})` when the display has been refreshed. */
export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this._context = canvas.getContext("2d", { alpha: false });
    this._hidden = 0;
    this._turn = 0;
    document.addEventListener("visibilitychange", () => this._hidden++);
  }

  async paint(header, bytes, got, done) {
    const turn = ++this._turn;
    let picture;
    try {
      picture = await decode(bytes, header.width * header.height);
    } catch {
      done({ got, drawn: null, painted: null });
      return;
    }
    if (turn === this._turn) {
      if (this.canvas.width !== header.width || this.canvas.height !== header.height) {
        this.canvas.width = header.width;
        this.canvas.height = header.height;
      }
      this._context.drawImage(picture, 0, 0);
    }
    picture.close();
    const drawn = performance.now();
    const hidden = this._hidden;
    // The next animation frame is the one that carries this picture to the display. What follows it, the compositor
    // and the display's own delay, a page cannot see.
    requestAnimationFrame(() => {
      const painted = performance.now();
      done({ got, drawn, painted: hidden === this._hidden && !document.hidden ? painted : null });
    });
  }
}
