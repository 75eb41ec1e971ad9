"""A zip that holds a model: what Teachable Machine, MediaPipe (.task) and hubs give. Unpacked beside, and looked at.

Read as strictly as `safe.zipped` reads: no names that climb, no links, nothing twice, nothing that swells.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from ..safe import zipped
from ..safe.parts import Broken, viewed
from .found import refuse

MAX_FILES = 2000
MAX_BYTES = 8 << 30
MAX_RATIO = 100
_FREE = 16 << 20
_JUNK = ("__MACOSX/", ".DS_Store")


def is_zip(file: Path) -> bool:
    """A zip that may be opened: arrays of numpy's and torch files are zips too, and are what they are."""
    from ..safe import npz, torch_zip

    with viewed(file) as view:
        return zipped.is_padded(view) and not npz.is_npz(view) and not torch_zip.is_torch(view)


def unpacked(file: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder with what is in the zip; it goes when it is let go of. ModelFault: a zip that is not exactly right."""
    folder = tempfile.TemporaryDirectory(prefix="pleinair-zip-", ignore_cleanup_errors=True)
    try:
        with viewed(file) as view:
            wanted = [
                e
                for e in zipped.entries(view, zipped.PADDING)
                if not e.name.endswith("/") and not e.name.startswith(_JUNK)
            ]
            size, packed = sum(e.size for e in wanted), sum(e.packed for e in wanted)
            if len(wanted) > MAX_FILES or size > MAX_BYTES or size > _FREE + MAX_RATIO * packed:
                raise Broken(f"it would swell to {len(wanted)} files and {size} bytes")
            if size > shutil.disk_usage(folder.name).free:
                raise refuse(file.name, f"there is no room to unpack it ({size / 1e6:.1f} MB)", "set TMPDIR")
            for entry in wanted:
                path = Path(folder.name, entry.name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(zipped.unpack(view, entry))
    except (Broken, OSError) as error:
        folder.cleanup()
        raise refuse(
            file.name, f"it is a zip that cannot be opened ({error})", "unpack it, and add what is in it"
        ) from None
    return folder
