"""What in a piece.py would break a replay, read off its text: nothing is run.

A piece may see content time, chance keyed by the frame, and its streams, and nothing else. What asks the machine for
the time, for dice, for the network or for another thread gets something else the next time. Two weights: "breaks" is
sure to differ; "warning" is a slip (pictures that wrap), or a habit that holds until a tape begins in the middle.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .lint_rules import BARE, BUILT_IN, CHANGES, HOLDERS, SLEEP, STATE_HINT, THREADS, WRITING, Rule, rule_of

BREAKS, WARNING = "breaks", "warning"


@dataclass(frozen=True)
class Finding:
    """rule: what it is about; weight: "breaks" or "warning"; line: in piece.py, from 1; code: that line."""

    rule: str
    weight: str
    line: int
    code: str
    what: str
    hint: str
    file: str = "piece.py"

    @property
    def where(self) -> str:
        return f"{self.file}, line {self.line}    {self.code[:72]}"

    def as_dict(self) -> dict[str, str | int]:
        return {
            "rule": self.rule, "weight": self.weight, "line": self.line, "code": self.code, "what": self.what,
            "where": self.where, "hint": self.hint,
        }  # fmt: skip


_SUM: dict[type[ast.operator], tuple[str, str]] = {ast.Sub: ("subtract", "difference()"), ast.Add: ("add", "blend()")}


def lint(text: str, file: str = "piece.py", pictures: Mapping[str, set[str]] | None = None) -> list[Finding]:
    """Findings in the order of their lines. `pictures`: for each node's function (by its name in the file), those of
    its parameters that carry pictures."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []  # said when the piece is read
    reader = _Reader(text, Path(file).name, pictures or {})
    reader.visit(tree)
    unique = {(f.rule, f.line, f.what): f for f in reader.found}
    return sorted(unique.values(), key=lambda f: (f.line, f.rule))


class _Reader(ast.NodeVisitor):
    def __init__(self, text: str, file: str, pictures: Mapping[str, set[str]]) -> None:
        self.found: list[Finding] = []
        self._lines = text.splitlines()
        self._file = file
        self._pictures = pictures
        self._imports: dict[str, str] = {}
        self._scopes: list[set[str]] = []
        self._held: set[str] = set()

    def _say(self, node: ast.AST, what: str, rule: Rule | None = None, *, about: str = "", hint: str = "") -> None:
        """A finding at the line of `node`: of a rule, or of a habit (`about`) that is a warning only."""
        line = getattr(node, "lineno", 1)
        code = self._lines[line - 1].strip() if line <= len(self._lines) else ""
        if rule is None:
            self.found.append(Finding(about, WARNING, line, code, what, hint, self._file))
        else:
            weight = WARNING if rule is SLEEP else BREAKS
            self.found.append(Finding(rule.name, weight, line, code, f"{what} {rule.what}", rule.hint, self._file))

    # -- names

    def visit_Module(self, node: ast.Module) -> None:
        for entry in ast.walk(node):  # an import inside a function counts everywhere: simpler, and on the safe side
            if isinstance(entry, ast.Import):
                for name in entry.names:
                    self._imports[name.asname or name.name.partition(".")[0]] = (
                        name.name if name.asname else name.name.partition(".")[0]
                    )
            elif isinstance(entry, ast.ImportFrom) and entry.module and not entry.level:
                for name in entry.names:
                    if name.name == "*":
                        self._star(entry)
                    else:
                        self._imports[name.asname or name.name] = f"{entry.module}.{name.name}"
        for statement in node.body:
            for target, value in _assigned(statement):
                if _holds(value):
                    self._held.add(target)
        self.generic_visit(node)

    def _star(self, entry: ast.ImportFrom) -> None:
        rule = rule_of(f"{entry.module}.x") or rule_of(entry.module or "")
        if rule:
            self._say(entry, f"what comes from {entry.module}", rule)

    def _dotted(self, node: ast.AST) -> str | None:
        """`numpy.random.rand` for `np.random.rand`, whatever it was imported as; None for what is nobody's import."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Call) and isinstance(node.func, (ast.Name, ast.Attribute)):
            if (ast.unparse(node.func) in ("__import__", "importlib.import_module", "import_module")) and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    return ".".join([first.value, *reversed(parts)])
            return None
        if not isinstance(node, ast.Name) or any(node.id in scope for scope in self._scopes):
            return None
        root = self._imports.get(node.id)
        return ".".join([root, *reversed(parts)]) if root else None

    # -- functions

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for default in [*node.args.defaults, *(d for d in node.args.kw_defaults if d)]:
            self.visit(default)
        own = {a.arg for a in arguments}
        own |= {a.arg for a in (node.args.vararg, node.args.kwarg) if a}
        shared = {n for s in ast.walk(node) if isinstance(s, (ast.Global, ast.Nonlocal)) for n in s.names}
        own |= {t for s in ast.walk(node) for t, _ in _assigned(s)} - shared
        changed = {
            a.arg
            for a, d in zip(reversed(arguments), reversed(node.args.defaults), strict=False)
            if isinstance(d, (ast.List, ast.Dict, ast.Set, ast.Call))
        }
        kept = "keeps what the last firing left in it, and no tape knows what that is"
        shared_by_all = "is shared by the whole file, and no tape knows what is in it"
        for names, why in ((changed, kept), (self._held - own, shared_by_all)):
            for place, name in _changes(node, names):
                self._say(place, f"{name} {why}", about="state", hint=STATE_HINT)
        for entry in ast.walk(node):
            if isinstance(entry, ast.Global):
                what = f"{', '.join(entry.names)} outlives the firing, and no tape knows its value"
                self._say(entry, what, about="state", hint=STATE_HINT)
        if isinstance(node, ast.AsyncFunctionDef):
            self._say(node, f"{node.name} is async: it", THREADS)
        self._scopes.append(own)
        for statement in node.body:
            self.visit(statement)
        self._scopes.pop()
        if node.name in self._pictures:
            self._arithmetic(node, self._pictures[node.name])

    visit_AsyncFunctionDef = visit_FunctionDef

    # -- what breaks a replay

    def visit_Name(self, node: ast.Name) -> None:
        self._look(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if not self._look(node):
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)  # an annotation asks nobody

    def _look(self, node: ast.Name | ast.Attribute) -> bool:
        dotted = self._dotted(node)
        rule = rule_of(dotted) if dotted and isinstance(node.ctx, ast.Load) else None
        if rule is not None and dotted not in BARE:
            self._say(node, _short(node), rule)
        return rule is not None

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        shadowed = any(name in scope for scope in self._scopes) or name in self._imports
        if name in BUILT_IN and not shadowed and not (name == "hash" and _is_number(node)):
            self._say(node, f"{name}()", BUILT_IN[name])
        elif (name == "open" and not shadowed) or self._dotted(node.func) in ("io.open", "os.open"):
            if _writes(node):
                self._say(node, "open() for writing", WRITING)
        elif isinstance(node.func, ast.Attribute) and node.func.attr in ("write_text", "write_bytes"):
            self._say(node, f".{node.func.attr}()", WRITING)
        self.generic_visit(node)

    # -- pictures are u8 and wrap

    def _arithmetic(self, function: ast.FunctionDef | ast.AsyncFunctionDef, parameters: set[str]) -> None:
        known = set(parameters)

        def is_picture(node: ast.AST) -> bool:
            if isinstance(node, ast.Name):
                return node.id in known
            if isinstance(node, ast.Subscript):
                return is_picture(node.value)
            return (
                isinstance(node, ast.BinOp)
                and type(node.op) in _SUM
                and is_picture(node.left)
                and is_picture(node.right)
            )

        for node in _in_order(function):
            for target, value in _assigned(node):
                (known.add if value is not None and is_picture(value) else known.discard)(target)
            left: ast.expr
            if isinstance(node, ast.AugAssign):
                left, right, operator = node.target, node.value, type(node.op)
            elif isinstance(node, ast.BinOp):
                left, right, operator = node.left, node.right, type(node.op)
            else:
                continue
            if operator in _SUM and is_picture(left) and (is_picture(right) or _is_level(right)):
                word, other = _SUM[operator]
                sign = "-" if operator is ast.Sub else "+"
                sum_of = f"{ast.unparse(left)} {sign} {ast.unparse(right)}"
                self._say(
                    node,
                    f"{sum_of}: pictures are u8 and wrap (3 - 5 is 254, 250 + 10 is 4)",
                    about="pictures",
                    hint=f"{word}() of pleinair stops at black and white; {other} may be what you want",
                )


def _short(node: ast.AST) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 40 else text[:37] + "..."


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    """(name, value) for each plain name that a statement binds; value None where it is taken apart."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store):
                    yield name.id, node.value if name is target else None
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and isinstance(node.target, ast.Name):
        yield node.target.id, node.value
    elif isinstance(node, (ast.For, ast.comprehension)):
        for name in ast.walk(node.target):
            if isinstance(name, ast.Name):
                yield name.id, None


def _holds(value: ast.expr | None) -> bool:
    """Whether a value at the file's top is something that can be changed in place."""
    if isinstance(value, (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)):
        return True
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return name in HOLDERS
    return False


def _changes(function: ast.AST, names: set[str]) -> Iterator[tuple[ast.AST, str]]:
    """Where a function changes one of these names in place."""
    for node in ast.walk(function):
        method = node.func if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        if method and method.attr in CHANGES and isinstance(method.value, ast.Name) and method.value.id in names:
            yield node, method.value.id
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        for target in targets:
            if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id in names:
                yield node, target.value.id


def _in_order(node: ast.AST) -> Iterator[ast.AST]:
    """Depth first, an expression before the name that it is bound to matters."""
    for child in ast.iter_child_nodes(node):
        yield from _in_order(child)
        yield child


def _writes(call: ast.Call) -> bool:
    mode = call.args[1] if len(call.args) > 1 else next((k.value for k in call.keywords if k.arg == "mode"), None)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and any(c in mode.value for c in "wax+")


def _is_level(node: ast.AST) -> bool:
    """A whole number: added to u8 it stays u8, and wraps."""
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value != 0


def _is_number(call: ast.Call) -> bool:
    return bool(call.args) and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, (int, float))
