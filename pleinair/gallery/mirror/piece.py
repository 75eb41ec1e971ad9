"""Mirror: the room repainted while you move."""
from pleinair import Piece, blend, same

piece = Piece()
piece.source("camera")
piece.knob("strength", 0.8)
piece.model("painting", reads="camera")

@piece.draw
def draw(painting, camera: same, strength):
    return blend(camera, painting, strength)
