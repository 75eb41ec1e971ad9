"""What may be done with a piece: terms, gate, openness, label. No legal advice; see docs/licences.md.

`verdict(parts, use, operator, senses)` weighs parts (`of_card(card)`, `of_environment(tasks)`, or `Part(...)` by hand)
against one of eight uses and gives allow, duties, ask or refuse, with clause, source, date and a sentence for each.
"""

from .gate import Finding, Verdict, verdict
from .parts import Part, of_card, of_environment

__all__ = ["Finding", "Part", "Verdict", "of_card", "of_environment", "verdict"]
