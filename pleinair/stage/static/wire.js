// The connection to the stage: protocol version 1, see docs/protocol.md. Used by the stage page, the desk and the camera.
const decoder = new TextDecoder();
const encoder = new TextEncoder();

const meta = () => document.querySelector('meta[name="pleinair-token"]');
export const token = () => meta()?.content ?? "";

/** A piece that was started again serves another token: it is read off the page as it is now. */
async function renew() {
  try {
    const page = await (await fetch(location.pathname, { cache: "no-store" })).text();
    const fresh = new DOMParser().parseFromString(page, "text/html").querySelector('meta[name="pleinair-token"]');
    if (fresh?.content) meta().content = fresh.content;
  } catch { /* nobody is there yet */ }
}

/** Header and payload of a binary message. */
export function unpack(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(decoder.decode(new Uint8Array(buffer, 4, length)));
  return [header, new Uint8Array(buffer, 4 + length)];
}

/** One binary message of a header and room for `size` bytes; returns the message and the place for the payload. */
export function pack(header, size) {
  const head = encoder.encode(JSON.stringify(header));
  const message = new Uint8Array(4 + head.length + size);
  new DataView(message.buffer).setUint32(0, head.length, true);
  message.set(head, 4);
  return [message, 4 + head.length];
}

/**
 * Keeps a connection: comes back after 0.25, 0.5 ... 2 s. `on.text(message)`, `on.binary(header, bytes)`,
 * `on.open()`, `on.close()`. Answers the stage's questions for the time by itself; `wire.offset` is then what turns
 * this page's milliseconds into the piece's (null before it is known).
 */
export class Wire {
  constructor(query, on) {
    this.offset = null;
    this.open = false;
    this._query = query;
    this._on = on;
    this._wait = 250;
    this._connect();
  }

  _connect() {
    const address = new URL("/ws", self.location.href);
    address.protocol = address.protocol.replace("http", "ws");
    address.search = new URLSearchParams({ v: "1", ...this._query, token: token() });
    const socket = (this._socket = new WebSocket(address));
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      const got = performance.now();
      if (typeof event.data !== "string") {
        const [header, bytes] = unpack(event.data);
        this._on.binary?.(header, bytes, got);
        return;
      }
      const message = JSON.parse(event.data);
      if (message.type === "clock") {
        this.send({ type: "clock", n: message.n, at: performance.now() });
        if (message.offset_ms !== undefined) this.offset = message.offset_ms;
        return;
      }
      if (message.type === "hello") this._wait = 250;
      this._on.text?.(message);
    };
    socket.onopen = () => {
      this.open = true;
      this._on.open?.();
    };
    socket.onclose = () => {
      const was = this.open;
      this.open = false;
      if (was) this._on.close?.();
      this._timer = setTimeout(async () => {
        if (!was) await renew();
        if (!this._ended) this._connect();
      }, this._wait);
      this._wait = Math.min(2000, this._wait * 2);
    };
  }

  send(message) {
    if (this.open) this._socket.send(JSON.stringify(message));
  }

  sendBytes(bytes) {
    if (this.open) this._socket.send(bytes);
  }

  /** Ends for good. */
  close() {
    this._ended = true;
    clearTimeout(this._timer);
    this._socket.onclose = null;
    this._socket.close();
    this.open = false;
  }
}
