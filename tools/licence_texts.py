"""Makes pleinair/licence/terms/texts.json again: hashes and sketches of the licence texts that the table was read from.

    pip download --no-deps scancode-toolkit==32.5.0        (126 MB; read as a container, never installed)
    python tools/licence_texts.py scancode_toolkit-32.5.0-*.whl [--texts FOLDER] [--check]

FOLDER holds KEY.txt for the texts of REPOSITORIES below, taken from the public repositories named there; without it
their entries are kept as they are. --check compares and looks whether what the table quotes stands in the texts.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import zipfile
from pathlib import Path

from pleinair.licence import terms, texts

WHEEL = "licensedcode/data/licenses/{}.LICENSE"
BOTH = {"gpl-2.0": "GPL-2.0", "gpl-3.0": "GPL-3.0", "agpl-3.0": "AGPL-3.0", "lgpl-2.0": "LGPL-2.0",
        "lgpl-2.1": "LGPL-2.1",        "lgpl-3.0": "LGPL-3.0"}  # fmt: skip
ALSO = {"openmdw-1.0": ["OpenMDW-1.0"]}
UP_TO = {"apache-2.0-terms": ("apache-2.0", "END OF TERMS AND CONDITIONS")}
"""Texts that many carry without what follows them."""
REPOSITORIES = {
    "openrail++-m": ("LicenseRef-pleinair-openrail-plusplus-m", "CreativeML Open RAIL++-M License, 2023-07-26",
                     "Stability-AI/generative-models, model_licenses/LICENSE-SDXL1.0, commit f2fa96b"),
    "openmdw-1.1": ("OpenMDW-1.1", "OpenMDW License Agreement 1.1",
                    "OpenMDW/OpenMDW, 1.1/LICENSE.OpenMDW-1.1, commit 2a0fbf7"),
    "sam-2025-11-19": ("LicenseRef-pleinair-sam-2025-11-19", "SAM License, 2025-11-19",
                       "facebookresearch/sam3, LICENSE, commit a13e358"),
    "dinov3-2025-08-19": ("LicenseRef-pleinair-dinov3-2025-08-19", "DINOv3 License, 2025-08-19",
                          "facebookresearch/dinov3, LICENSE.md, commit ffb4bb8"),
    "ltx-2-2026-08-11": ("LicenseRef-pleinair-ltx-2-2026-08-11", "LTX-2.x Community License Agreement, 2026-08-11",
                         "Lightricks/LTX-2, LICENSE, commit 3518503"),
    "flux-1-dev-1.1.1": ("LicenseRef-pleinair-flux-1-dev-1.1.1", "FLUX.1 [dev] Non-Commercial License v1.1.1",
                         "black-forest-labs/flux, model_licenses/LICENSE-FLUX1-dev, commit 474dc42"),
    "nvidia-source-nc-stylegan3": ("LicenseRef-pleinair-nvidia-source-nc-stylegan3",
                                   "NVIDIA Source Code License for StyleGAN3",
                                   "NVlabs/stylegan3, LICENSE.txt, commit 8fb5177"),
    "coqui-cpml-1.0": ("LicenseRef-pleinair-coqui-cpml-1.0", "Coqui Public Model License 1.0.0",
                       "jasonppy/VoiceCraft, LICENSE-MODEL, commit 6760f29"),
}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--texts", type=Path)
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    target = terms.FOLDER / "texts.json"
    before = json.loads(target.read_text("utf-8")) if target.exists() else {}
    terms.texts = lambda: before  # the table's rows are read while there is no texts.json yet
    wanted = list(dict.fromkeys(key for row in terms.rows() for key in row.texts))
    bodies: dict[str, str] = {}
    made: dict[str, dict] = {}
    with zipfile.ZipFile(args.wheel) as wheel:
        release = args.wheel.name.split("-")[1]
        for key in wanted:
            if key in REPOSITORIES:
                licence, title, place = REPOSITORIES[key]
                path = args.texts / f"{key}.txt" if args.texts else None
                if path is None:
                    made[key] = before[key]
                    continue
                body, ids, origin = path.read_text("utf-8"), [licence], f"repository {place}"
            else:
                whole, end = UP_TO.get(key, (key, ""))
                name = WHEEL.format(whole)
                head, body = parted(wheel.read(name).decode("utf-8"))
                body = body[: body.index(end) + len(end)] if end else body
                licence, title = head["spdx_license_key"], head["name"]
                ids = [f"{BOTH[key]}-only", f"{BOTH[key]}-or-later"] if key in BOTH else [licence, *ALSO.get(key, [])]
                origin = f"scancode-toolkit {release}, {name}" + f', up to "{end}"' * bool(end)
            bodies[key] = body
            found = texts.words(body)
            made[key] = {"ids": ids, "title": title, "from": origin, "sha256": texts.digest(body), "words": len(found),
                         "marks": texts.marks(found), "sketch": texts.packed(texts.sketch(found)),
                         "pairs": texts.pairs_packed(found)}  # fmt: skip
    text = (
        "{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in made.items()) + "\n}\n"
    )
    bad = quotes(bodies)
    for sentence in bad:
        print(sentence, file=sys.stderr)
    if args.check:
        same = text == target.read_text("utf-8")
        print("texts.json is as made" if same else "texts.json differs", file=sys.stderr)
        return 0 if same and not bad else 1
    target.write_text(text, "utf-8")
    print(f"{len(made)} texts, {len(text) / 1e3:.0f} kB", file=sys.stderr)
    return 1 if bad else 0


def parted(text: str) -> tuple[dict[str, str], str]:
    """Front matter (its plain keys) and body."""
    _, head, body = [*text.split("---\n", 2), "", ""][:3]
    pairs = (line.split(": ", 1) for line in head.splitlines() if ": " in line and not line.startswith(" "))
    return {k: v.strip("'\"") for k, v in pairs}, body


def plain(text: str) -> list[str]:
    """Words, with the lines that `texts.words` leaves out."""
    return re.findall(r"[a-z0-9]+", text.lower().replace("\u2019", "").replace("'", ""))


def quotes(bodies: dict[str, str]) -> list[str]:
    """What the table quotes from a text and what the text does not say."""
    bad = []
    for row in terms.rows():
        if not row.texts or not all(key in bodies for key in row.texts):
            continue
        whole = " | ".join(" ".join(plain(bodies[key])) for key in row.texts)
        said = [(use, cell.says) for use, cell in row.cells.items()]
        said += [("when", when.cell.says) for when in row.when] + [
            ("owed", f'"{s}"')
            for i, s in [(row.ids[0], row.owed.file), *row.owed.files.items()]
            if s and row.text_read(i)
        ]
        for use, sentence in said:
            for quote in re.findall(r'"([^"]{6,})"', sentence):
                bare = " ".join(plain(quote))
                if bare not in whole:
                    bad.append(f"row {row.number}, {use}: no text of it says {quote!r}")
    return list(dict.fromkeys(bad))


if __name__ == "__main__":
    sys.exit(main())
