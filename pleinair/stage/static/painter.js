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

/** Decodes and draws onto `canvas` at once, and tells a Wire when: its acknowledgements are the stage's credits. */
export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this._context = canvas.getContext("2d", { alpha: false });
    this._hidden = 0;
    this._turn = 0;
    this._unpainted = 0;
    document.addEventListener("visibilitychange", () => this._hidden++);
  }

  /** `seen(painted)` with this page's time when the display was refreshed with the picture. */
  async paint(wire, header, bytes, got, seen) {
    const turn = ++this._turn, seq = header.seq;
    let picture;
    try {
      picture = await decode(bytes, header.width * header.height);
    } catch {
      wire.send({ type: "painted", seq, painted: null });
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
    // The next picture may come while this one waits for the display, but no more than that one, and none for a page
    // that nobody sees: then the credit goes back when it is painted.
    if (!this._unpainted++ && !document.hidden) wire.send({ type: "drawn", seq });
    // The next animation frame is the one that carries this picture to the display. What follows it, the compositor
    // and the display's own delay, a page cannot see.
    requestAnimationFrame(() => {
      const now = performance.now();
      this._unpainted--;
      const painted = hidden === this._hidden && !document.hidden ? now : null;
      wire.send({ type: "painted", seq, got, drawn, painted });
      if (painted !== null) seen?.(painted);
    });
  }
}
