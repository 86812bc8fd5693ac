"""Reads the options of an argparse parser off the syntax tree of a script."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mlvalidate.project.script_facts import Option

_FLAGS = ("store_true", "store_false", "store_const", "append_const", "count", "help", "version")
# Methods after which the options are not all known.
_OPAQUE = ("add_subparsers", "parse_known_intermixed_args")
_LENIENT = "parse_known_args"
_TYPES = ("int", "float", "str", "bool")


def read_options(tree: ast.Module) -> list[Option] | None:
    """Return the options of the only parser of a script; None where they can't be known."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if sum(_name(call) == "ArgumentParser" for call in calls) != 1:
        return None
    if any(_name(call) in _OPAQUE for call in calls) or _has_parents(calls):
        return None
    if _defined_in_loop(tree):
        return None
    if any(_name(call) == _LENIENT for call in calls) and not ignores_unknown(tree):
        return None
    options = []
    for call in calls:
        if _name(call) == "add_argument":
            option = _option(call)
            if option is None:
                return None
            options.append(option)
    return options


def ignores_unknown(tree: ast.Module) -> bool:
    """Tell whether a script passes over options that its parser does not have.

    That is `args, _ = parser.parse_known_args()` or `parser.parse_known_args()[0]`, where nobody
    looks at the rest.
    """
    nodes = list(ast.walk(tree))
    used = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    ignored = {id(call) for node in nodes for call in _calls_without_rest(node, used)}
    lenient = [n for n in nodes if isinstance(n, ast.Call) and _name(n) == _LENIENT]
    return bool(lenient) and all(id(call) in ignored for call in lenient)


def _calls_without_rest(node: ast.AST, used: set[str]) -> Iterator[ast.expr]:
    """Yield what a statement or an index takes the first of two results of."""
    if isinstance(node, ast.Subscript) and _constant(node.slice) == 0:
        yield node.value
    elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
        rest = node.targets[0].elts[-1]
        if isinstance(rest, ast.Name) and rest.id not in used:
            yield node.value


def _name(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _has_parents(calls: list[ast.Call]) -> bool:
    """Tell whether options may come from elsewhere: parents, abbreviations, files of arguments."""
    odd = {"parents", "fromfile_prefix_chars", "prefix_chars", "argument_default"}
    return any(
        _name(call) == "ArgumentParser" and any(word.arg in odd for word in call.keywords)
        for call in calls
    )


def _defined_in_loop(tree: ast.Module) -> bool:
    loops = (node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While))
    return any(
        isinstance(node, ast.Call) and _name(node) == "add_argument"
        for loop in loops
        for node in ast.walk(loop)
    )


def _option(call: ast.Call) -> Option | None:
    names = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    words = {word.arg: word.value for word in call.keywords}
    if len(names) != len(call.args) or not names or None in words:
        return None
    texts = tuple(name for name in names if isinstance(name, str))
    action = _constant(words.get("action"))
    nargs = _constant(words.get("nargs"))
    type_node = words.get("type")
    type_name = type_node.id if isinstance(type_node, ast.Name) else ""
    positional = not texts[0].startswith("-")
    optional_positional = nargs in ("?", "*") or "default" in words
    return Option(
        names=texts,
        line=call.lineno,
        required=(positional and not optional_positional)
        or (_constant(words.get("required")) is True),
        type=type_name if type_name in _TYPES and nargs is None else "",
        choices=_choices(words.get("choices")),
        takes_value=action not in _FLAGS and "BooleanOptionalAction" not in ast.dump(call),
    )


def _constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def _choices(node: ast.expr | None) -> tuple[object, ...] | None:
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return None
    values = tuple(_values(node))
    return values if len(values) == len(node.elts) else None


def _values(node: ast.List | ast.Tuple | ast.Set) -> Iterator[object]:
    for element in node.elts:
        if isinstance(element, ast.Constant):
            yield element.value
