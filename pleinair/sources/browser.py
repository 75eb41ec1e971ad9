"""The stage page's camera: pictures that a browser sends. The server delivers, the piece takes the newest."""

from __future__ import annotations

from ..core.codec import check_size
from ..core.errors import DeviceFault
from ..core.kinds import Image, Size
from ._page import FromPage


class Browser(FromPage):
    """One slot: a picture that was not taken before the next one came is replaced, before it was decoded, and counted.

    size  (width, height) in pixels to bring it to; None: as it comes

    DeviceFault: a size that no picture has.
    """

    kind = Image
    name, what, holds = "browser", "picture", 1
    now = "it was left out; the last picture is held, and further ones are only counted"

    def __init__(self, target: str = "", *, size: Size | None = None) -> None:
        if size is not None:
            try:
                check_size(*size)
            except (TypeError, ValueError) as error:
                raise DeviceFault(
                    f"browser cannot have the size {size}: {error}",
                    now="the source was not opened",
                    hint="size = [640, 480]",
                ) from None
        super().__init__()
        self.target = target
        self.size = tuple(size) if size else None
