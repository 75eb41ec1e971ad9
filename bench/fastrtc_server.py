"""The anchor: a WebRTC library made for this (`fastrtc`, PyPI) doing the same with the same model at the same
precision.

    python -m bench.fastrtc_server PORT pass|bf16|f32

A browser's camera goes in by WebRTC, each frame through the model, and back by WebRTC. The strip that carries the
frame's
number is copied from the camera's picture onto the painting, as in our own piece.
"""

from __future__ import annotations

import sys

PAGE = """<!doctype html><video id="local" autoplay muted playsinline></video>
<video id="remote" data-out="1" autoplay muted playsinline></video><script type="module">
const stream = await navigator.mediaDevices.getUserMedia({ audio: false,
  video: { width: { ideal: 320 }, height: { ideal: 240 }, frameRate: { ideal: 30 } } });
const peer = new RTCPeerConnection();
peer.addEventListener("track", (event) => { document.getElementById("remote").srcObject = event.streams[0] ?? new
MediaStream([event.track]); });
for (const track of stream.getTracks()) peer.addTrack(track, stream);
peer.createDataChannel("text");
await peer.setLocalDescription(await peer.createOffer());
await new Promise((done) => { if (peer.iceGatheringState === "complete") done();
  peer.addEventListener("icegatheringstatechange", () => peer.iceGatheringState === "complete" && done()); });
const answer = await fetch("/webrtc/offer", { method: "POST", headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ sdp: peer.localDescription.sdp, type: peer.localDescription.type, webrtc_id: "bench" }) });
await peer.setRemoteDescription(await answer.json());
await fetch("/go", { method: "POST" });    // until its inputs are set the library sends frames back as they came
</script>"""


def main(port: int, mode: str) -> None:
    import cv2
    import numpy as np
    import uvicorn
    from fastapi import FastAPI
    from fastapi.responses import HTMLResponse
    from fastrtc import Stream, VideoStreamHandler

    cv2.setNumThreads(1)
    model = None
    if mode != "pass":
        from .common import style

        model = style(mode, (320, 240))

    painted: list[None] = []
    """One entry a call, so that the bench knows that the handler really ran."""

    def handler(frame: np.ndarray) -> np.ndarray:
        painted.append(None)
        if model is None:
            return frame
        out = cv2.cvtColor(model(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)), cv2.COLOR_RGB2BGR)
        band = 2 * (frame.shape[0] // 24)
        out[-band:] = frame[-band:]
        return out

    def go() -> dict[str, int]:
        stream.set_input("bench", "__webrtc_value__")
        return {"painted": len(painted)}

    app = FastAPI()
    # skip_frames: its best setting for a slow handler; without it the delay grows for as long as one looks.
    stream = Stream(VideoStreamHandler(handler, skip_frames=True), modality="video", mode="send-receive")
    stream.mount(app)
    app.get("/")(lambda: HTMLResponse(PAGE))
    app.post("/go")(go)
    app.get("/painted")(lambda: {"painted": len(painted)})
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
