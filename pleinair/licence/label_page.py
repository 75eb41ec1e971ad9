"""A label as text, and as a page to print: black on white, one typeface, A5 for the wall and A4 for the credits."""

from __future__ import annotations

import base64
import html
import re
import textwrap
from pathlib import Path

from .label import Label

FONT = Path(__file__).parent.parent / "stage" / "static" / "fonts" / "sans.woff2"
ENERGY = "Energy: not measured."
DENSE = 800
"""Letters of notices from which they are set smaller, so that the wall's page stays one page."""
NO_ADVICE = "Worked out from the licences' texts by pleinair. It is no legal advice."


def typographic(text: str) -> str:
    """Quotes and dashes as a typesetter would have them."""
    text = re.sub(r'(^|[\s(\[])"', "\\1\u201c", text)
    text = (
        text.replace('"', "\u201d")
        .replace("'", "\u2019")
        .replace("(c) ", "\u00a9 ")
        .replace("\u00a9 copyright", "\u00a9")
    )
    return re.sub(r"(?<=\d)-(?=\d{4}\b)", "\u2013", text.replace(" - ", " \u2013 "))


def as_text(label: Label) -> str:
    """Two pages of plain text."""
    year = f", {label.year}" if label.year else ""
    lines = [f"{label.title}{year}", label.artist, "", *_wrapped(label.about)]
    for heading, sentences in _wall(label):
        lines += ["", heading, *(line for s in sentences for line in _wrapped(s, "  "))]
    lines += ["", "", "CREDITS"]
    for c in label.credits:
        lines += ["", c.what, *(line for who in c.who for line in _wrapped(who, "  "))]
        lines += _wrapped(f"{c.licence}{f' ({c.link})' if c.link else ''}", "  ")
        lines += _wrapped(f"stated in {c.stated_in}", "  ") if c.stated_in else []
        lines += _wrapped(c.remark, "  ")
        lines += _wrapped("; ".join(c.duties), "  ")
    for heading, sentences in _back(label):
        lines += ["", heading, *(line for s in sentences for line in _wrapped(s, "  "))]
    return typographic("\n".join(lines).strip()) + "\n"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, 96, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False)


def _wall(label: Label) -> list[tuple[str, list[str]]]:
    """What the wall carries besides title, artist and text."""
    found = []
    if said := [*(n.text for n in label.notices), *label.shows]:
        found.append((label.words["visitors"], said))
    if label.privacy:
        found.append((label.heading, list(label.privacy)))
    return found


def _back(label: Label) -> list[tuple[str, list[str]]]:
    """What stands at the end of the credits."""
    found = [("Libraries", [f"{name}: {', '.join(whats)}" for name, whats in label.libraries])]
    if label.sources:
        offer = "Whoever gets a copy of this work may have the source code of " + ", ".join(label.sources)
        found.append(("Source code", [f"{offer}; for three years, on request, for no more than the cost of copying."]))
    if label.files:
        found.append(("Notice file", list(label.files)))
    if label.verdicts:
        found.append(("Uses", [f"{use}: {words}" for use, words in label.verdicts] + list(label.overrides)))
    rules = [f"{n.text} ({n.rule})" for n in label.notices]
    rules += [label.words["remark"]] if label.words["remark"] else []
    found += [("Notices and their rules", rules)] if rules else []
    found.append(("", [ENERGY, NO_ADVICE]))
    return found


def as_html(label: Label) -> str:
    """One self-contained page: no request leaves it."""
    room = label.words["room"]
    dense = "dense " if sum(len(s) for _, sentences in _wall(label) for s in sentences) > DENSE else ""
    font = base64.b64encode(FONT.read_bytes()).decode() if FONT.is_file() else ""
    year = f", {label.year}" if label.year else ""
    wall = "".join(_section(h, sentences) for h, sentences in _wall(label))
    credits = "".join(
        f"<article><h3>{_said(c.what)}</h3>"
        + "".join(f"<p>{_said(who)}</p>" for who in c.who)
        + f"<p>{_said(c.licence)}{f', <span class=link>{_said(c.link)}</span>' if c.link else ''}</p>"
        + "".join(
            f"<p class=small>{_said(s)}</p>" for s in (c.stated_in and f"Stated in {c.stated_in}.", c.remark) if s
        )
        + (f"<p class=small>{_said('; '.join(c.duties).capitalize() + '.')}</p>" if c.duties else "")
        + "</article>"
        for c in label.credits
    )
    back = "".join(_section(h, sentences, "small") for h, sentences in _back(label))
    about = f"<p class=about>{_said(label.about)}</p>" if label.about else ""
    return f"""<!doctype html>
<html lang="{_said(label.language or "und")}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_said(label.title)}: label and credits</title>
<style>
@font-face {{ font-family: Label; src: url(data:font/woff2;base64,{font}) format("woff2"); font-weight: 100 900; }}
{_CSS}</style>
<section class="{dense}wall">
<header><h1>{_said(label.title)}{year}</h1><p class="artist">{_said(label.artist)}</p></header>
{about}
<div class="own" contenteditable="true" role="textbox" data-room="{_said(room)}" aria-label="{_said(room)}"></div>
<div class="told">{wall}</div>
</section>
<section class="credits" lang="en">
<h2>{_said(label.title)}: credits</h2>
<div class="columns">{credits}</div>
<div class="back">{back}</div>
</section>
</html>
"""


def _section(heading: str, sentences: list[str], kind: str = "") -> str:
    title = f"<h3>{_said(heading)}</h3>" if heading else ""
    return f"<section>{title}{''.join(f'<p class={kind or chr(34) * 2}>{_said(s)}</p>' for s in sentences)}</section>"


def _said(text: str) -> str:
    return html.escape(typographic(text), quote=False)


_CSS = """
@page wall { size: A5 portrait; margin: 14mm; }
@page credits { size: A4 portrait; margin: 18mm; }
* { box-sizing: border-box; margin: 0; padding: 0; }
body { font: 400 10.5pt/1.45 Label, "Helvetica Neue", Arial, sans-serif; color: #000; background: #fff; }
h1 { font-size: 22pt; line-height: 1.15; font-weight: 600; letter-spacing: -0.01em; }
h2 { font-size: 16pt; font-weight: 600; margin-bottom: 8mm; }
h3 { font-size: 9pt; font-weight: 600; margin-bottom: 1mm; }
p + p { margin-top: 0.8mm; }
.small { font-size: 8pt; line-height: 1.4; }
.artist { font-size: 13pt; margin-top: 1mm; }
.about { margin-top: 7mm; font-size: 12pt; line-height: 1.4; max-width: 34em; }
.own { min-height: 24mm; margin: 6mm 0; outline: 0; }
.own:empty::before { content: attr(data-room); color: #767676; }
.told { border-top: 0.3pt solid #000; padding-top: 4mm; display: grid; gap: 4mm; }
.wall { page: wall; break-after: page; }
.credits { page: credits; font-size: 9.5pt; }
.columns { columns: 2; column-gap: 9mm; }
.columns article { break-inside: avoid; padding-bottom: 5mm; overflow-wrap: anywhere; }
.back { border-top: 0.3pt solid #000; padding-top: 4mm; margin-top: 3mm; display: grid; gap: 4mm; }
.back p { overflow-wrap: anywhere; }
@media screen {
  body { background: #e9e9e9; padding: 24px; display: grid; gap: 24px; justify-items: center; }
  .wall, .credits { background: #fff; max-width: 100%; }
  .wall { width: 148mm; min-height: 210mm; padding: 14mm; }
  .credits { width: 210mm; min-height: 297mm; padding: 18mm; }
}
@media screen and (max-width: 700px) {
  body { padding: 0; }
  .columns { columns: 1; }
  .wall, .credits { padding: 24px; }
}
.dense .told { font-size: 9pt; line-height: 1.4; gap: 3mm; }
@media print {
  .own:empty { min-height: 0; margin: 4mm 0; }
  .own:empty::before { content: ""; }
}
"""
