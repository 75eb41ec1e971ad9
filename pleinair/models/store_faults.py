"""What is wrong with the store, its disk, or a file in it, in sentences."""

from __future__ import annotations

import errno

from .. import folders
from ..core.errors import ModelFault
from .card import Card, File
from .places import path_of


class TooMuch(ModelFault):
    """More came than the card says."""


class StoreFault(ModelFault):
    """The disk is full, or may not be written to: no other source will help."""


def full_disk() -> StoreFault:
    """What a full disk means."""
    return disk_fault(OSError(errno.ENOSPC, ""))


def disk_fault(error: OSError) -> StoreFault:
    """What a full or a read-only disk means."""
    home = folders.data_dir()
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        what, hint = "the disk is full", "make room, or set PLEINAIR_HOME to a folder on another disk"
    elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        what, hint = "the store cannot be written to", "set PLEINAIR_HOME to a folder that you may write to"
    else:
        what, hint = f"the store cannot be used: {error.strerror or error}", "set PLEINAIR_HOME to another folder"
    return StoreFault(what, where=str(home), now="nothing was changed", hint=hint)


def absent(card: Card, file: File) -> ModelFault:
    return ModelFault(
        f"{card.name} cannot be loaded: the file {file.name} is not on this computer",
        now="the model was not loaded",
        hint=f"pleinair fetch {card.name}      ({card.bytes / 1e6:.1f} MB, {card.weights.id})"
        if has_source(card, file)
        else again(file),
    )


def has_source(card: Card, file: File) -> bool:
    """Whether the card says where the file can be had; what somebody added of their own, it mostly does not."""
    return bool(file.sources or file.parts or file.made)


def again(file: File) -> str:
    return f"bring your own copy of it once more: pleinair models add {file.name}"


def spoilt(card: Card, file: File, why: str) -> ModelFault:
    return ModelFault(
        f"{card.name} cannot be loaded: the file {file.name} is not the one that the card means ({why})",
        where=str(path_of(file.sha256)),
        now="the model was not loaded",
        hint=f"pleinair fetch {card.name} brings a whole one" if has_source(card, file) else again(file),
    )


def other(why: str, kind: type[ModelFault] = ModelFault) -> ModelFault:
    """What came is not what the card means."""
    return kind(
        f"the file was refused: {why}",
        now="nothing was put into the store",
        hint="fetch again; if it happens again, the card or its source has changed",
    )
