"""Which of these words fit this picture? Task "picture_text": CLIP pairs of one's own, since no package carries one.

Two networks that learnt to bring a picture and its caption to the same place (CLIP: Radford and others: Learning
Transferable Visual Models From Natural Language Supervision, 2021; OpenCLIP, MobileCLIP and others are made alike). The
picture's row of numbers is compared with each label's.

Files of a card: `picture` and `text` (ONNX), and the words: `words` (tokenizer.json), or `vocab` and `merges`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...backends import wire
from ...backends.base import Tensor
from ...core.errors import ModelFault
from ...core.kinds import Size, Text, Vector
from .. import check_onnx, store
from ..card import Card
from ..fit import fitted
from ..network import NetworkModel
from ._pictures import fixed_size, middle, picture_input, row_output, unit
from .clip_words import read_words

REMEMBERED = 512
"""Labels whose numbers are kept."""
MOST = 256
"""Labels at once."""


class PictureText(NetworkModel):
    """`model(image, labels=["a dog", "a cat"])`: a Vector with a number for each label, in their order.

    image   uint8 RGB, any size; its middle square is looked at, unless `options.crop` is false
    labels  a list of texts, or one text with a label on each line (or with ";" between them). Whole phrases work best:
            "a photo of a dog"

    `options.gives` of the card: "likely" (0..1, together 1: which of these, if it is one of them; the default) or
    "similar" (the cosine, -1..1, seldom above 0.35: how well each fits by itself).

    Other options: `range` ("clip" unless it says otherwise; see `_pictures.picture_input`), `scale` of the cosines
    before they become likelihoods (100), `picture_output` and `text_output` (names, where there are several),
    `ids` and `mask` (names of the text network's inputs), `context` (77), `pad` (0).
    """

    kind = Vector

    def __init__(self, card: Card, **how: Any) -> None:
        options = card.options
        self._likely = options.get("gives", "likely") == "likely"
        if options.get("gives", "likely") not in ("likely", "similar"):
            raise ModelFault(f'{card.name}: options.gives is "likely" or "similar"')
        self._scale, self._crop = float(options.get("scale", 100.0)), bool(options.get("crop", True))
        self._context, self._pad = max(3, int(options.get("context", 77))), int(options.get("pad", 0))
        super().__init__(card, **how)
        self._known: OrderedDict[str, np.ndarray] = OrderedDict()

    def _size(self, size: Size | None) -> Size | None:
        return size or self.card.size

    def _constant(self, port: str, value: Any) -> Any:
        return labels_of(value) if port == "labels" else value

    def _open(self) -> None:
        blob = store.read(self.card, "picture")
        found = check_onnx.inspect(blob, self.card.files["picture"].name)
        self.size = self.size or fixed_size(found, str(self.card.options.get("input", ""))) or (224, 224)
        self._image = picture_input(self.card, found, self.size, "clip")
        self._seen = row_output(self.card, found, "picture_output")
        self._eye = self.network("picture", [self._image], [self._seen], blob=blob)
        blob = store.read(self.card, "text")
        found = check_onnx.inspect(blob, self.card.files["text"].name)
        self._ids, self._mask = self._text_inputs(found)
        self._meant = row_output(self.card, found, "text_output")
        inputs = [t for t in (self._ids, self._mask) if t]
        self._ear = self.network("text", inputs, [self._meant], blob=blob)
        roles = [r for r in ("words", "vocab", "merges") if r in self.card.files]
        self._words = read_words({role: store.read(self.card, role) for role in roles})
        width, height = self.size
        picture, text = self.picture_row(np.full((height, width, 3), 128, np.uint8)), self.text_row("a picture")
        if picture.shape != text.shape:
            raise ModelFault(
                f"{self.card.name}: its networks are no pair: {len(picture)} numbers and {len(text)}",
                now="the model was not loaded",
            )

    def _text_inputs(self, found: wire.Summary) -> tuple[Tensor, Tensor | None]:
        options, names = self.card.options, list(found.inputs)
        mask = str(options.get("mask") or next((n for n in names if "mask" in n), ""))
        ids = str(options.get("ids") or next((n for n in names if n != mask), ""))
        types = {number: word for word, number in wire.TYPES.items()}
        if set(names) != {ids, mask} - {""} or any(types.get(found.types[n]) not in ("int32", "int64") for n in names):
            raise ModelFault(
                f"{self.card.name}: its text network takes {', '.join(names)}",
                now="the model was not loaded",
                hint="options.ids and options.mask name its inputs: whole numbers, [1, 77]",
            )
        tensors = [Tensor(n, (1, self._context), dtype=types[found.types[n]]) for n in (ids, mask) if n]
        return tensors[0], tensors[1] if mask else None

    def picture_row(self, image: np.ndarray) -> np.ndarray:
        """A picture's numbers, of length 1: float32."""
        picture = middle(image, self.size) if self._crop else fitted(image, self.size)
        return unit(self._eye.run({self._image.name: picture})[self._seen.name])

    def text_row(self, text: str) -> np.ndarray:
        """A text's numbers, of length 1: float32. What was asked before is remembered."""
        with self._lock:
            row = self._known.get(text)
            if row is None:
                numbers = self._words(text, self._context)
                ids = np.full((1, self._context), self._pad, self._ids.dtype)
                ids[0, : len(numbers)] = numbers
                feed = {self._ids.name: ids}
                if self._mask:
                    feed[self._mask.name] = (np.arange(self._context) < len(numbers))[None].astype(self._mask.dtype)
                row = self._known[text] = unit(self._ear.run(feed)[self._meant.name])
                while len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
            self._known.move_to_end(text)
            return row

    def _run(self, values: dict[str, Any]) -> np.ndarray:
        """float32, one number for each label; none for no labels."""
        labels = labels_of(values.get("labels", ()))
        if not labels:
            return Vector.empty()
        seen = self.picture_row(values["image"])
        similar = np.array([text @ seen for text in map(self.text_row, labels)], np.float64)
        if not self._likely:
            return similar.astype(np.float32)
        weights = np.exp(self._scale * (similar - similar.max()))
        return (weights / weights.sum()).astype(np.float32)

    def _close(self) -> None:
        self._eye = self._ear = None
        self._known.clear()


def labels_of(value: Any) -> tuple[str, ...]:
    """Labels out of a list of texts, or of one text. ValueError, with a sentence, for anything else."""
    if isinstance(value, str):
        value = value.replace(";", "\n").splitlines()
    if not isinstance(value, Sequence) or not all(isinstance(label, str) for label in value):
        raise ValueError(f"labels are texts, and this is {value!r:.60}")
    labels = tuple(Text(label.strip()) for label in value if label.strip())
    if len(labels) > MOST:
        raise ValueError(f"{MOST} labels at once are the most, and these are {len(labels)}")
    return labels
