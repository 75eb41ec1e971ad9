"""What MediaPipe's own Python solutions see in pictures. Runs in an environment of its own, where pleinair is not.

    python mediapipe_worker.py PICTURES.npz FOUND.npz

Pictures: uint8 RGB, by name. Found: for each picture and task an array (figures, points, 3).
"""

import sys

import mediapipe as mp
import numpy as np


def rows(many):
    return np.array([[[p.x, p.y, p.z] for p in one.landmark] for one in many or []], np.float64)


def main() -> None:
    pictures, found = np.load(sys.argv[1]), {}
    solutions = mp.solutions
    with (
        solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=8) as faces,
        solutions.hands.Hands(static_image_mode=True, max_num_hands=8, model_complexity=1) as hands,
        solutions.pose.Pose(static_image_mode=True, model_complexity=1) as pose,
    ):
        for name in pictures.files:
            image = pictures[name]
            found[f"faces {name}"] = rows(faces.process(image).multi_face_landmarks)
            found[f"hands {name}"] = rows(hands.process(image).multi_hand_landmarks)
            one = pose.process(image).pose_landmarks
            found[f"pose {name}"] = rows([one] if one else [])
    np.savez(sys.argv[2], **found)


if __name__ == "__main__":
    main()
