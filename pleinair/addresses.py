"""What an address means: `webcam`, `file:clip.mp4`, `rtsp://...`: the plug-in behind it, and what it is asked for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import plugins
from .core.errors import PieceFault, did_you_mean
from .core.kinds import Image
from .core.source import Source


def split_uri(uri: str) -> tuple[str, str]:
    """("file", "clip.mp4") of "file:clip.mp4"; an address with // is its own target."""
    scheme, _, target = uri.partition(":")
    return (scheme, uri) if target.startswith("//") else (scheme, target)


def source_class(scheme: str, options: Mapping[str, Any]) -> Any:
    """The class behind a source's name; PieceFault for a key that it does not know."""
    factory = plugins.find("sources", scheme)
    known = [*inspect.signature(factory).parameters][1:]
    for key in options:
        if key not in known:
            raise PieceFault(
                f'{scheme} has no key "{key}"',
                now="the piece was not started",
                hint=did_you_mean(key, [*known, "device", "fallback"]),
            )
    return factory


def open_source(uri: str, folder: Path | None = None, **options: Any) -> Source:
    """The source that an address means: `webcam`, `file:clip.mp4`, `clip:CARD`, `sound:speech.wav` (or a clip's
    card), `synthetic`, `rtsp://...`."""
    scheme, target = split_uri(uri)
    if scheme == "clip":
        from .models import clip_path

        scheme, target = "file", str(clip_path(target))
    elif scheme == "sound" and is_clip(target):
        from .models import clip_path

        options = {**card_options(uri), **options}
        target = str(clip_path(target))
    elif scheme in ("file", "sound") and folder is not None and not Path(target).is_absolute():
        target = target if Path(target).exists() else str(folder / target)
    elif target.startswith("//") is False and scheme in ("http", "https", "udp", "tcp", "srt", "rtmp", "rtsps"):
        scheme = "rtsp"
    factory = source_class(scheme, options)
    try:
        return factory(target, **options)
    except TypeError as error:
        raise PieceFault(
            f"the source {scheme} cannot be made so: {error}", hint="its keys stand in piece.toml"
        ) from None


def card_options(uri: str) -> dict[str, Any]:
    """What the card of a sound says of how it is played; a tape has to know it, since it opens the bare file."""
    from .models.card import find_card

    scheme, target = split_uri(uri)
    return dict(find_card(target).options) if scheme == "sound" and is_clip(target) else {}


def is_clip(target: str) -> bool:
    """Whether a sound's name is that of a clip's card, and not a file's."""
    from .models.card import known_names

    return bool(target) and not Path(target).exists() and target in known_names()


def read_picture(path: Path) -> Any:
    """A picture file as a picture. DeviceFault where it is none."""
    source = plugins.find("sources", "file")(str(path))
    source.open()
    try:
        return Image.check(next(iter(source)).data)
    finally:
        source.close()
