"""Writes docs/pictures/models/{chat,embed_text,choose}.jpg: what the models really said. python tools/shelf/d.py"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import pleinair
from pleinair import line, text
from pleinair.models.fetch import fetch

OUT = Path(__file__).parents[2] / "docs/pictures/models"
MOST_BYTES = 60_000
INK, PALE, WARM = "#12161c", "#7d8794", "#f0b35c"


def paper(width: int, height: int) -> np.ndarray:
    shade = tuple(int(INK[n : n + 2], 16) for n in (1, 3, 5))
    return np.full((height, width, 3), shade, np.uint8)


def chat() -> np.ndarray:
    """An answer at three moments, and one that follows a schema."""
    question = "What do you see when you look at the sea?"
    model = pleinair.load("chat", max_tokens=50)
    texts = [t for t in model.stream(question) if t is not None]
    moments = [texts[len(texts) // 6], texts[len(texts) // 2], texts[-1]]
    schema = {
        "type": "object",
        "properties": {
            "colour": {"enum": ["red", "blue", "gold", "grey"]},
            "speed": {"type": "integer", "minimum": 0, "maximum": 9},
            "title": {"type": "string", "maxLength": 40},
        },
        "required": ["colour", "speed", "title"],
    }
    exact = model("A stormy sea at night. Its colour, its speed, a title.", schema=schema, seed=1)
    print(repr(texts[-1]), exact, sep="\n")
    image = text(paper(960, 420), question, (0.03, 0.1), 0.06, PALE, align="left", italic=True)
    for n, words in enumerate(moments):
        column = text(paper(310, 420), words, (0.04, 0.5), 0.05, "white" if words.final else PALE, align="left")
        image[80:330, 10 + n * 320 : 320 + n * 320] = column[85:335]
    image = line(image, (0.03, 0.83), (0.97, 0.83), colour=PALE, width=0.003)
    return text(image, exact, (0.5, 0.91), 0.055, WARM, weight=500)


def embed_text() -> np.ndarray:
    """Each sentence against each."""
    sentences = [
        "The sea is calm tonight.", "No wind, and the water lies still.", "I lost my keys again.",
        "Where did I put that thing?", "A dog barks in the yard.", "The puppy is making noise.",
    ]  # fmt: skip
    model = pleinair.load("embed_text")
    rows = np.stack([model(s) for s in sentences])
    alike = rows @ rows.T
    image = paper(900, 420)
    left, top, wide, high = 330, 18, 92, 64
    for n, sentence in enumerate(sentences):
        image = text(image, sentence, ((left - 14) / 900, (top + (n + 0.5) * high) / 420), 0.05, "white", align="right")
        for m in range(len(sentences)):
            share = float(np.clip(alike[n, m], 0, 1))
            shade = (np.array([240, 179, 92]) * share + np.array([18, 22, 28]) * (1 - share)).astype(np.uint8)
            y, x = top + n * high, left + m * wide
            image[y : y + high - 4, x : x + wide - 4] = shade
            at = ((x + wide / 2 - 2) / 900, (y + high / 2 - 2) / 420)
            image = text(image, f"{alike[n, m]:.2f}", at, 0.05, "ink" if share > 0.5 else "white")
    return image


def choose() -> np.ndarray:
    """What was said, and what was meant."""
    labels = {
        "brighter": ["more light", "I cannot see anything"],
        "darker": ["it is too bright", "less light"],
        "stop": ["enough", "end this now"],
    }
    said = [
        "make it a bit lighter, would you", "it hurts my eyes", "ok, that's it, we are done",
        "I can't find the switch in here", "what is the capital of France?",
    ]  # fmt: skip
    model = pleinair.load("choose", labels=labels, least=0.25)
    image = paper(900, 380)
    for n, words in enumerate(said):
        found = model(words)
        print(words, found)
        y = 30 + n * 68
        image = text(image, f"“{words}”", (0.03, (y + 22) / 380), 0.06, PALE, align="left", italic=True)
        image = text(image, found["label"] or "–", (0.56, (y + 22) / 380), 0.07, "white", align="left", weight=600)
        for m, share in enumerate(found["all"].values()):
            wide = max(2, round(190 * share))
            shade = (240, 179, 92) if list(found["all"])[m] == found["label"] else (70, 78, 88)
            image[y + m * 15 : y + m * 15 + 11, 680 : 680 + wide] = shade
    return image


def main() -> None:
    from pleinair.core.codec import encode_jpeg

    fetch(["chat", "embed_text", "choose"])
    OUT.mkdir(parents=True, exist_ok=True)
    for make in (chat, embed_text, choose):
        picture = make()
        for quality in range(88, 40, -4):
            blob = encode_jpeg(picture, quality)
            if len(blob) <= MOST_BYTES:
                break
        (OUT / f"{make.__name__}.jpg").write_bytes(blob)
        print(make.__name__, picture.shape, len(blob))


if __name__ == "__main__":
    main()
