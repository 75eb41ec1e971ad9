"""Text to phonemes, by espeak-ng as a program of its own: it is GPL-3, and never a library inside our process.

Text goes to its standard input and International Phonetic Alphabet comes back, so that no word of a text is taken for
an option. It is asked once for each clause (about 10 ms).
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess

from ...core.errors import ModelFault, did_you_mean

PROGRAM = "espeak-ng"
LONGEST_S = 20.0
TIE = "^"
"""Between the two signs of one sound (a^ɪ, t^ʃ), as asked of espeak-ng."""


def program() -> str:
    """Where espeak-ng is. ModelFault, with the command that brings it, where it is not."""
    found = shutil.which(PROGRAM)
    if not found:
        raise ModelFault(
            "nothing can be spoken: the program espeak-ng is not on this computer",
            now="the model was not loaded",
            hint="apt install espeak-ng, brew install espeak-ng, or winget install eSpeak-NG.eSpeak-NG",
        )
    return found


@functools.cache
def version() -> str:
    """Of the program, for the lock: the sounds depend on it. "" where it is not there."""
    found = shutil.which(PROGRAM)
    if not found:
        return ""
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=LONGEST_S).stdout
    match = re.search(r"\d+(\.\d+)+(-\w+)?", said)
    return match[0] if match else "unknown"


@functools.cache
def languages() -> tuple[str, ...]:
    """The names of its voices: "en-us", "de", "fr-fr" ..."""
    said = subprocess.run([program(), "--voices"], capture_output=True, text=True, timeout=LONGEST_S).stdout
    return tuple(sorted({line.split()[1] for line in said.splitlines()[1:] if len(line.split()) > 1}))


def check_language(language: str) -> str:
    """The language as espeak-ng names it; ValueError where there is none."""
    known = languages()
    if language in known:
        return language
    raise ValueError(f'espeak-ng knows no language "{language}": {did_you_mean(language, known)}')


_MARKS = ",.;:!?…—"
_PAUSE = re.compile(rf"([{_MARKS}]+[\"'”’»)\]]*)(?=\s|$)|\s*(—|…|--)\s*")
_SHORT = re.compile(r"\b(Mr|Mrs|Ms|Dr|Prof|St|No|vs|Jr|Sr|etc|approx)\.(?=\s+\S)")


def phonemes(text: str, language: str, *, tie: bool = True) -> list[tuple[str, str]]:
    """(phonemes, mark) for each stretch between two marks: [("həlˈo^ʊ ðˈɛ^ɹ", ",")]. Marks: , . ; : ! ? … — or "".

    language  as espeak-ng names it ("en-us"); ValueError where there is none
    tie       signs of one sound are joined by TIE
    """
    check_language(language)  # a name that is nearly one is taken for one by the program itself
    pieces: list[str] = []
    marks: list[str] = []
    text = _SHORT.sub(r"\1", " ".join(text.split()))
    at = 0
    for match in _PAUSE.finditer(text):
        pieces.append(text[at : match.start()])
        marks.append(next((c for c in match[0] if c in _MARKS), "—"))
        at = match.end()
    pieces.append(text[at:])
    marks.append("")
    spoken = [(p, m) for p, m in zip(pieces, marks, strict=True) if any(c.isalnum() for c in p)]
    if not spoken:
        return []
    lines = _ask("\n".join(p for p, _ in spoken), language, tie)
    if len(lines) != len(spoken):  # it made two clauses of one: then each on its own
        lines = [" ".join(_ask(p, language, tie)) for p, _ in spoken]
    return [(line, mark) for line, (_, mark) in zip(lines, spoken, strict=True) if line]


def _ask(text: str, language: str, tie: bool) -> list[str]:
    command = [program(), "-q", "--ipa", "-b", "1", "-v", language, *([f"--tie={TIE}"] if tie else [])]
    env = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "SYSTEMROOT", "LD_LIBRARY_PATH", "TEMP")}
    try:
        done = subprocess.run(
            command, input=(text + "\n").encode(), capture_output=True, timeout=LONGEST_S, env=env, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelFault(f"espeak-ng did not answer: {error}", hint="espeak-ng --version") from None
    if done.returncode:
        raise ModelFault(f"espeak-ng failed: {done.stderr.decode('utf-8', 'replace').strip()[:160]}")
    lines = [line.strip() for line in done.stdout.decode("utf-8", "replace").splitlines()]
    return [_FOREIGN.sub("", line) for line in lines if line]


_FOREIGN = re.compile(r"\([a-z]{2,3}(-[a-z]+)?\)")
"""espeak-ng marks words that it takes for another language: (en)wˈɜːd(de)."""
