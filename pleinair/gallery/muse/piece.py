"""Muse: 26 painters under 26 knobs, and any picture of yours as one more. After Roman Lipski's AI Muse."""
from pleinair import Calm, Enlarge, Image, Piece, blend, grade, same

piece = Piece()
piece.source("camera")
piece.knobs("styles", 26, default=[0, 0, 0, 0, 0, 0.3, 0, 0, 0, 0, 0, 0, 0.4, 0, 0, 0, 0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0])
piece.knob("own", 0.0)                      # how much your own picture paints: drop one onto the desk
piece.knob("room", 0.05)                    # how much of the room shines through
piece.knob("still", 0.7)                    # how long a stroke stays where nothing moved
piece.knob("colour", 1.1, range=(0, 2))
piece.model("painting", reads={"image": "camera", "style_weights": "styles"})

@piece.node
def sitter(camera, own, frame) -> Image:
    """The second painter works only when it is wanted; its first picture is always painted, so that there is one."""
    return camera if own > 0 or frame.seq == 0 else None

piece.model("imitation", reads="sitter")
calm, enlarge = Calm(), Enlarge()

@piece.draw
def draw(painting, imitation, camera: same, own, room, still, colour):
    canvas = blend(painting, imitation, own) if own > 0 else painting
    canvas = enlarge(calm(canvas, camera, still), camera)
    return grade(blend(canvas, camera, room), saturation=colour)
