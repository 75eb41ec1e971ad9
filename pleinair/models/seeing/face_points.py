"""What the points of the face mesh are called. Left and right are the person's own.

The mesh has 468 points (Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs",
2019). Those that one asks for have a name, the others are `point_0` .. `point_467` by their place in the mesh.
"""

from __future__ import annotations

COUNT = 468

NAMED = {
    1: "nose_tip", 2: "nose_base", 168: "nose_bridge", 48: "nostril_right", 278: "nostril_left",
    10: "forehead", 152: "chin", 234: "right_temple", 454: "left_temple", 172: "right_jaw", 397: "left_jaw",
    205: "right_cheek", 425: "left_cheek",
    33: "right_eye_outer", 133: "right_eye_inner", 159: "right_eye_top", 145: "right_eye_bottom",
    263: "left_eye_outer", 362: "left_eye_inner", 386: "left_eye_top", 374: "left_eye_bottom",
    70: "right_brow_outer", 105: "right_brow", 107: "right_brow_inner",
    300: "left_brow_outer", 334: "left_brow", 336: "left_brow_inner",
    61: "mouth_right", 291: "mouth_left", 0: "mouth_top", 17: "mouth_bottom", 13: "lip_top", 14: "lip_bottom",
}  # fmt: skip
"""mouth_top and mouth_bottom are the outer rims of the lips, lip_top and lip_bottom the inner ones."""

NAMES = tuple(NAMED.get(n, f"point_{n}") for n in range(COUNT))

PLACE = {name: n for n, name in NAMED.items()}

IRISES = (468, 473)
"""The middle of the right eye's iris, and of the left one's, each with four points of its rim behind it: in the mesh
of 478 points (Grishchenko et al., "Attention Mesh: High-fidelity Face Mesh Prediction in Real-time", 2020)."""

NAMES_WITH_IRISES = NAMES + tuple(
    {468: "right_iris", 473: "left_iris"}.get(n, f"point_{n}") for n in range(COUNT, COUNT + 10)
)
