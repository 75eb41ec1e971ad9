"""How large an ONNX network is once its functions are written out where they are called: what a runtime does first.

Thirty functions, each of which calls the next one twice, are a file of two kilobytes and a network of a billion layers.
"""

from __future__ import annotations

from collections.abc import Mapping

from .protobuf import Broken, short

Call = tuple[str, str]
"""(domain, operator)"""


def check(called: Mapping[Call, int], functions: Mapping[Call, Mapping[Call, int]], most: int) -> None:
    """Broken where a function calls itself, or where more than `most` layers come of it.

    called     what the network calls, and how often; functions: the same of each function
    """
    sizes: dict[Call, int] = {}
    begun: set[Call] = set()
    stack = [(name, False) for name in called if name in functions]
    while stack:
        name, done = stack.pop()
        if done:
            begun.discard(name)
            sizes[name] = min(most + 1, sum(count * sizes.get(inner, 1) for inner, count in functions[name].items()))
        elif name in begun:
            raise Broken(f"its function {short(name[1])} calls itself")
        elif name not in sizes:
            begun.add(name)
            stack.append((name, True))
            stack += [(inner, False) for inner in functions[name] if inner in functions and inner not in sizes]
    if sum(count * sizes.get(name, 1) for name, count in called.items()) > most:
        raise Broken("its functions call one another so often that they never end")
