"""Language models in GGUF files, on llama.cpp: read the prompt, then one word after the other.

A turn in the inference lane is one step of `stream`: sixteen tokens of the prompt, or one of the answer.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..core.errors import ModelFault
from . import llama_c
from .compiled import OnPackage
from .sampling import Dice, Grammar, Sampling

CHUNK = 16
"""Tokens of a prompt that are read in one step: about 0.1 s of a small model on one core, and no slower than more."""


class Gguf(OnPackage):
    """A model and what it has read so far.

    path      a GGUF file; it stays open
    threads   for every step
    context   tokens that it can hold at once, prompt and answer together; at most what it was trained for
    adapters  LoRA adapters in GGUF files; each starts at strength 1

    ModelFault, with llama.cpp's own reason, where it cannot be loaded.
    """

    name = "gguf"
    package, missing = "xllamacpp", 'pip install "pleinair[language]" brings it'

    def __init__(self, path: Path, *, threads: int, context: int = 2048, adapters: Sequence[Path] = ()) -> None:
        llama_c.try_out(str(path))
        self._c = c = llama_c.library()
        llama_c.last_words()
        self._context = self._model = None
        self._lock = threading.RLock()
        self._turn = 0
        self._stop = ctypes.create_string_buffer(2)
        self._model = c.llama_model_load_from_file(str(path).encode(), c.llama_model_default_params())
        if not self._model:
            raise _fault(f"{path.name} cannot be loaded", llama_c.last_words())
        try:
            self._vocabulary = c.llama_model_get_vocab(self._model)
            self._row = ctypes.c_float * c.llama_vocab_n_tokens(self._vocabulary)
            self.context = min(context, c.llama_model_n_ctx_train(self._model) or context)
            params = c.llama_context_default_params()
            ctypes.memmove(ctypes.byref(params), (ctypes.c_uint32 * 2)(self.context, max(32, CHUNK)), 8)
            self._context = c.llama_init_from_model(self._model, params)
            if not self._context or c.llama_n_batch(self._context) < CHUNK:
                raise _fault(f"{path.name} cannot be run", llama_c.last_words())
            self.context = c.llama_n_ctx(self._context)
            c.llama_set_n_threads(self._context, threads, threads)
            # strlen as the callback: asked hundreds of times a token, it must not be Python. "" says go on, "x" stop.
            strlen = ctypes.cast(ctypes.CDLL(None).strlen, ctypes.c_void_p)
            c.llama_set_abort_callback(self._context, strlen, self._stop)
            self._memory = c.llama_get_memory(self._context)
            self._adapters = [self._adapter(a) for a in adapters]
        except BaseException:
            self.close()
            raise
        self.strengths: tuple[float, ...] = ()
        self.sure: float | None = None
        """Mean log probability of the tokens of the answer that is being given, None before its first."""
        self._count = 0
        self._batches: list[tuple[list[int], int]] = []
        """What was read: tokens of each batch, and how many of them are kept. The same batches give the same bits."""
        if self._adapters:
            self.set_adapters([1.0] * len(self._adapters))

    # -- words and tokens ----------------------------------------------------------------------------------------------

    @property
    def template(self) -> str:
        """The chat template in the file, "" where it has none."""
        return (self._c.llama_model_chat_template(self._model, None) or b"").decode("utf-8", "replace")

    def tokens(self, text: str, *, special: bool = True) -> list[int]:
        """`special`: the text may hold a template's marks, and begins as the model's texts do."""
        blob = text.encode()
        room = (ctypes.c_int32 * (len(blob) + 8))()
        count = self._c.llama_tokenize(self._vocabulary, blob, len(blob), room, len(room), special, special)
        return room[: max(0, count)]

    def chat(self, messages: Sequence[tuple[str, str]], template: str = "") -> str:
        """Messages of (role, text) as one prompt, in the form that the model learnt: that of `template` (a name that
        llama.cpp knows, or a template's text), else of the file. Nothing of a template is run: llama.cpp tells by its
        text which of those that it knows it is. A file without one gets plain lines, and goes on where they end."""
        asked = template or self.template
        if not asked:
            return "\n".join(text for _, text in messages)
        rows = [llama_c.Message(role.encode(), text.encode()) for role, text in messages]
        array = (llama_c.Message * len(rows))(*rows)
        room = ctypes.create_string_buffer(256)
        for _ in range(2):
            count = self._c.llama_chat_apply_template(asked.encode(), array, len(rows), True, room, len(room))
            if count < 0:
                raise ModelFault(
                    "the chat template of this model is none that llama.cpp knows",
                    now="nothing was said",
                    hint='template = "chatml" (or "llama3", "gemma", "mistral-v7" ...) in its card, [options]',
                )
            if count <= len(room):
                return room.raw[:count].decode("utf-8", "replace")
            room = ctypes.create_string_buffer(count + 1)
        raise AssertionError("a template gave two lengths")

    def piece(self, token: int) -> bytes:
        """The bytes of a token: a part of a letter, at times."""
        room = ctypes.create_string_buffer(256)
        count = self._c.llama_token_to_piece(self._vocabulary, token, room, len(room), 0, False)
        return room.raw[:count] if count > 0 else b""

    # -- reading and saying --------------------------------------------------------------------------------------------

    def stream(self, prompt: Sequence[int], sampling: Sampling, most: int) -> Iterator[bytes | None]:
        """The bytes of the answer, token by token; None for each step of reading the prompt. What it read before is
        kept where the prompt begins with it. Ends at the model's own end, after `most` tokens, when the context is
        full, when interrupted, or when another answer is begun."""
        if not prompt or len(prompt) >= self.context:
            raise ModelFault(
                f"this model reads 1 to {self.context - 1} tokens at once, and the prompt has {len(prompt)}",
                now="nothing was said",
                hint="a shorter text, or context = 4096 in its card, [options]",
            )
        with self._lock:
            self._turn += 1
            turn = self._turn
            self._stop[0] = b"\0"
            text = sampling.rules
            grammar = Grammar(self._c, self._vocabulary, text) if text else None
            dice = Dice(sampling, prompt, grammar)
        return self._steps(list(prompt), dice, most, turn)

    def _steps(self, prompt: list[int], dice: Dice, most: int, turn: int) -> Iterator[bytes | None]:
        given, sure = 0, 0.0
        try:
            with self._lock:
                if turn == self._turn:
                    self.sure = None
                    self._keep(min(_common(prompt, self._read), len(prompt) - 1))
                    prompt = prompt[self._count :]
                given = self._count
            for begin in range(0, len(prompt), CHUNK):
                if not self._decode(prompt[begin : begin + CHUNK], turn):
                    return
                given = self._count
                yield None
            for said in range(most):
                with self._lock:
                    if turn != self._turn or self.interrupted:
                        return
                    token = dice.throw(self._logits())
                if self._c.llama_vocab_is_eog(self._vocabulary, token):
                    return
                sure += dice.sure
                self.sure = sure / (said + 1)
                given = self._count
                yield self.piece(token)
                if self._count >= self.context or not self._decode([token], turn):
                    return
        finally:
            with self._lock:
                dice.close()
                if self.interrupted and turn == self._turn and self._context and self._count > given:
                    self._keep(given)  # of a step that gave nothing, nothing is remembered: a replay does not know it

    def interrupt(self) -> None:
        """Ends the answer that is being given, in the middle of a step too. From any thread."""
        self._stop[0] = b"x"

    @property
    def interrupted(self) -> bool:
        """Whether the last answer was."""
        return self._stop[0] != b"\0"

    @property
    def _read(self) -> list[int]:
        return [token for batch, kept in self._batches for token in batch[:kept]]

    def _decode(self, tokens: list[int], turn: int) -> bool:
        """Reads them; False where it was interrupted, and then nothing of them is kept."""
        with self._lock:
            if turn != self._turn or not self._context:
                return False
            room = (ctypes.c_int32 * len(tokens))(*tokens)
            gave = self._c.llama_decode(self._context, self._c.llama_batch_get_one(room, len(tokens)))
            if gave == 0:
                self._batches.append((tokens, len(tokens)))
                self._count += len(tokens)
                return True
            self._keep(self._count)
            words = llama_c.last_words()
            if gave == 2:
                return False
            raise _fault("the language model stopped", words or f"llama_decode gave {gave}")

    def _keep(self, count: int) -> None:
        """Forgets all but the first tokens."""
        if not self._c.llama_memory_seq_rm(self._memory, 0, count, -1):
            count = 0  # a recurrent model cannot go back
            self._c.llama_memory_clear(self._memory, True)
        self._count = count
        kept: list[tuple[list[int], int]] = []
        for batch, n in self._batches:
            if count <= 0:
                break
            kept.append((batch, min(n, count)))
            count -= n
        self._batches = kept

    def _logits(self) -> np.ndarray:
        """How likely each token is now: a view, good until the next is read."""
        return np.frombuffer(self._row.from_address(self._c.llama_get_logits_ith(self._context, -1)), np.float32)

    # -- what it remembers ---------------------------------------------------------------------------------------------

    def forget(self) -> None:
        with self._lock:
            self._turn += 1
            self._keep(0)

    def save(self) -> list[list[int]]:
        """What it has read, batch by batch, each with how much of it is kept in front."""
        return [[kept, *batch] for batch, kept in self._batches]

    def load(self, batches: Sequence[Sequence[int]]) -> None:
        """Reads again what `save` gave, in the same batches, so that what follows comes out the same to the bit."""
        with self._lock:
            self.forget()
            self._stop[0] = b"\0"
            kept = 0
            for count, *batch in batches:
                self._decode([int(t) for t in batch], self._turn)
                kept += int(count)
                self._keep(kept)

    def _adapter(self, path: Path) -> int:
        found = self._c.llama_adapter_lora_init(self._model, str(path).encode())
        if not found:
            raise _fault(f"the adapter {path.name} does not fit this model", llama_c.last_words())
        return found

    def set_adapters(self, strengths: Sequence[float]) -> None:
        """One strength for each adapter, 0: as if it were not there. Another one makes it forget what it read."""
        strengths = tuple(float(s) for s in strengths)[: len(self._adapters)]
        strengths += (0.0,) * (len(self._adapters) - len(strengths))
        if strengths == self.strengths:
            return
        with self._lock:
            count = len(strengths)
            array, scales = (ctypes.c_void_p * count)(*self._adapters), (ctypes.c_float * count)(*strengths)
            if self._c.llama_set_adapters_lora(self._context, array, count, scales) != 0:
                raise _fault("the adapters cannot be set", llama_c.last_words())
            self.strengths = strengths
            self._keep(0)

    def close(self) -> None:
        self.interrupt()
        with self._lock:
            self._turn += 1
            if self._context:
                self._c.llama_free(self._context)
            if self._model:
                self._c.llama_model_free(self._model)
            self._context = self._model = None


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """How many they have in common in front."""
    return next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _fault(what: str, why: str, hint: str = "") -> ModelFault:
    return ModelFault(f"{what}: {why}" if why else what, now="nothing was said", hint=hint)
