"""Mirror: the room repainted while you move."""
from pleinair import Calm, Enlarge, Piece, blend, same

piece = Piece()
piece.source("camera")
piece.knob("strength", 0.85)
piece.model("painting", reads="camera")
calm, enlarge = Calm(), Enlarge()

@piece.draw
def draw(painting, camera: same, strength):
    return blend(camera, enlarge(calm(painting, camera), camera), strength)
