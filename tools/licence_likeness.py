"""How often a licence text is taken for another: every text of scancode-toolkit's wheel, held against the table.

python tools/licence_likeness.py scancode_toolkit-32.5.0-*.whl
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

from licence_texts import parted

from pleinair.licence import terms, texts


def main(wheel: Path) -> int:
    known, strangers, wrong = terms.texts(), 0, []
    with zipfile.ZipFile(wheel) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".LICENSE")):
            key, body = Path(name).stem, parted(archive.read(name).decode("utf-8"))[1]
            if key in known or not body.strip():
                continue
            strangers += 1
            if (match := texts.match(body)).ids:
                wrong.append(f"{key} is taken for {match.key} ({match.how}, {match.likeness:.3f})")
    print(f"{strangers} texts that the table does not have, {len(wrong)} taken for one that it has")
    print("\n".join(wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
