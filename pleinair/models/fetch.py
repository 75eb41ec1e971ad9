"""Brings weights and clips into the store. With `sources/`, the only place in Pleinair that may use the network.

A file is had from the first of its sources that gives it: a mirror is as good as the original when the hash is the
same. A file in parts is joined, one that is made out of others is converted here, once; parts and raw files are then
thrown away. Two processes that want the same file wait for one another, and it is brought once.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import ModelFault
from . import partial, sources, store
from .card import SCHEMES, Card, File, all_cards, find_card
from .sources import Progress, Want, refused
from .store_faults import has_source

HERE = "there already"


@dataclass(frozen=True)
class Fetched:
    """One file that is in the store now.

    how     "there already", the source that it came from, or how it was made
    failed  sources that were tried before and did not give it, each with the reason
    """

    card: str
    name: str
    sha256: str
    bytes: int
    how: str
    failed: tuple[str, ...] = ()


def fetch(cards: Iterable[Card | str], progress: Progress | None = None) -> list[Fetched]:
    """Brings what is missing of these cards, each file checked; what is there already is left alone.

    progress  called as bytes arrive, last with (name, total, total) for each package or file

    ModelFault: no network, no such package, another file than the card means, no room. What came before it stays. A
    fetch that was cut off leaves nothing half-done; call it again.
    """
    cards = [find_card(card) for card in cards]
    bringer = _Bringer(cards, progress or (lambda name, done, total: None), SCHEMES)
    done = []
    for card in cards:
        for role, file in card.needed.items():
            bringer.bring(card, file)
            how, failed = bringer.how[file.sha256]
            if how != HERE:
                store.examine(card, role)
            done.append(Fetched(card.name, file.name, file.sha256, file.bytes, how, failed))
    bringer.clear()
    return done


def take_local(card: Card) -> None:
    """Copies the card's missing `file:` files into the store: a copy on this disk is no download."""
    bringer = _Bringer([card], lambda name, done, total: None, ("file:",))
    for file in store.missing(card):
        if bringer.can(card, file):
            bringer.bring(card, file)
    bringer.clear()


class _Bringer:
    """One fetch: what came from where, and what is to be thrown away afterwards."""

    def __init__(self, cards: list[Card], report: Progress, schemes: tuple[str, ...]) -> None:
        self.cards, self.report, self.schemes = cards, report, schemes
        self.how: dict[str, tuple[str, tuple[str, ...]]] = {}
        self._scraps: set[str] = set()

    def can(self, card: Card, file: File) -> bool:
        """Whether the schemes of this fetch could give the file."""
        if any(s.startswith(self.schemes) for s in file.sources):
            return True
        pieces = [*file.parts, *(card.files[role] for role in file.of)]
        return bool(pieces) and all(store.has(p) or self.can(card, p) for p in pieces)

    def bring(self, card: Card, file: File) -> None:
        """Sees to it that the file is in the store, whole."""
        if file.sha256 in self.how:
            return
        with partial.alone(file.sha256):
            if _whole(file):
                self.how[file.sha256] = HERE, ()
                return
            if has_source(card, file):  # else what is left of it is all that there is
                store.discard(file.sha256)  # of another size or hash: damaged on this disk
            store.room_for(file.bytes + file.container_bytes - partial.size_of(partial.path_of(file.sha256)))
            failed: list[tuple[str, ModelFault]] = []
            for source in filter(lambda s: s.startswith(self.schemes), file.sources):
                try:
                    taken = sources.take(source, [Want(card, file), *self._beside(file)], self.report)
                except store.StoreFault:
                    raise
                except ModelFault as fault:
                    failed.append((source, fault))
                    continue
                told = tuple(f"{s}: {fault.what}" for s, fault in failed)
                for want in taken:
                    self.how[want.file.sha256] = want.source or source, ()
                self.how[file.sha256] = source, told
                return
            if file.parts:
                self._join(card, file)
            elif file.made:
                self._make(card, file)
            else:
                raise _nowhere(card, file, failed)

    def _beside(self, file: File) -> list[Want]:
        """All else that this fetch is to bring and that is not here: a container may hold it too."""
        found = [w for card in self.cards for f in card.needed.values() for w in leaves(card, f)]
        return [w for w in found if w.file.sha256 != file.sha256 or w.file.sources != file.sources]

    def _join(self, card: Card, file: File) -> None:
        for part in file.parts:
            self.bring(card, part)
        self._scraps |= {part.sha256 for part in file.parts}
        with _Joined(file.parts) as stream:
            store.put(stream, file, file.name)  # type: ignore[arg-type]
        self.how[file.sha256] = f"joined out of {len(file.parts)} parts", ()

    def _make(self, card: Card, file: File) -> None:
        from . import convert

        for role in file.of:
            self.bring(card, card.files[role])
        self._scraps |= {card.files[role].sha256 for role in file.of}
        blob = convert.make(file.made, {role: self._raw(card, role) for role in file.of}, card.options)
        found = hashlib.sha256(blob).hexdigest()
        if (found, len(blob)) != (file.sha256, file.bytes):
            raise refused(
                f"{card.name}: the converter {file.made} made another {file.name} than the card means "
                f"({len(blob)} bytes, sha256 {found[:12]}...)",
                "the card and this version of Pleinair do not belong together; is there a newer one?",
            )
        store.put(io.BytesIO(blob), file, file.name)
        self.report(file.name, file.bytes, file.bytes)
        self.how[file.sha256] = f"made by {file.made} out of {', '.join(file.of)}", ()

    def _raw(self, card: Card, role: str) -> bytes:
        """A file that is only converted: another process, which needed it too, may have thrown it away meanwhile."""
        if not store.has(card.files[role]):
            self.how.pop(card.files[role].sha256, None)
            self.bring(card, card.files[role])
        return store.read(card, role)

    def clear(self) -> None:
        """Throws away parts and raw files that no card runs with."""
        if self._scraps:
            for sha256 in self._scraps - {f.sha256 for c in (*self.cards, *all_cards()) for f in c.needed.values()}:
                store.discard(sha256)


def _whole(file: File) -> bool:
    return store.has(file) and store.hash_of(store.path_of(file.sha256)) == file.sha256


def leaves(card: Card, file: File) -> Iterator[Want]:
    """What has to come from somewhere so that this file is here."""
    if store.has(file):
        return
    if file.sources:
        yield Want(card, file)
        return
    for part in file.parts or (card.files[role] for role in file.of):
        yield from leaves(card, part)


class _Joined(io.RawIOBase):
    """The parts of a file, one after the other, as they lie in the store."""

    def __init__(self, parts: Iterable[File]) -> None:
        self._parts = iter(parts)
        self._stream: io.BufferedReader | None = None

    def read(self, count: int = -1) -> bytes:
        while True:
            if self._stream is None:
                part = next(self._parts, None)
                if part is None:
                    return b""
                self._stream = open(store.path_of(part.sha256), "rb")  # noqa: SIM115  closed where it ends
            if blob := self._stream.read(count):
                return blob
            self._stream.close()
            self._stream = None

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        super().close()


def _nowhere(card: Card, file: File, failed: list[tuple[str, ModelFault]]) -> ModelFault:
    """No source gave the file: why each did not."""
    if len(failed) == 1:
        return failed[0][1]
    if failed:
        return refused(
            f"{card.name}: {file.name} could be had from none of the {len(failed)} places that the card names",
            failed[0][1].hint,
            where="\n  ".join(f"{source}: {fault.what}" for source, fault in failed),
        )
    return ModelFault(
        f"{card.name}: the card does not say where {file.name} can be had",
        where=card.upstream,
        now="nothing was changed",
        hint=f"put it into the store yourself: pleinair models add {Path(file.name).name}",
    )
