"""`file:PATH`: a copy on this computer; a path that is not absolute is meant from the card's own folder (for a
card of the shelf, the shelf's)."""

from __future__ import annotations

from pathlib import Path

from .. import store
from ..card import BUILT_IN
from . import Progress, Want, refused


def take(source: str, wants: list[Want], report: Progress) -> list[Want]:
    """Copies the file into the store."""
    card, file = wants[0].card, wants[0].file
    place = Path(source.removeprefix("file:")).expanduser()
    if not place.is_absolute():
        beside = BUILT_IN / place
        place = (card.folder or (BUILT_IN if beside.is_file() else Path.cwd())) / place
    report(file.name, 0, file.bytes)
    try:
        with open(place, "rb") as stream:
            store.put(stream, file, file.name, lambda size: report(file.name, size, file.bytes))
    except (FileNotFoundError, NotADirectoryError):
        raise refused(
            f"{card.name}: there is no file {place.name} where the card says", "check the card", where=str(place)
        ) from None
    except (IsADirectoryError, PermissionError) as error:
        raise refused(
            f"{card.name}: {place.name} cannot be read: {error.strerror}", "check the card", where=str(place)
        ) from None
    return wants[:1]
