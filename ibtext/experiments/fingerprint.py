"""What a function computes, as far as its text and the values it reads can tell, in one short string.

A results file may be resumed only by the function that began it. The fingerprint covers the source of the function
(not its comments or layout), its defaults and closure, and the constants and functions of its own module that it
names, to any depth; and of other modules, their names. It cannot see files that are read or a library that changes.
"""

import ast
import dataclasses
import functools
import hashlib
import inspect
import re
import textwrap
import types
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["describe", "fingerprint"]

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def fingerprint(function: Any) -> str:
    """Sixteen hexadecimal digits that change when the function, or a constant that it reads, changes.

    Examples
    --------
    >>> fingerprint(lambda width: 2 * width) == fingerprint(lambda width: 3 * width)
    False
    """
    return hashlib.sha256(describe(function).encode()).hexdigest()[:16]


def describe(value: Any) -> str:
    """A text that is equal for equal values, in this process and in any other."""
    return _describe(value, set())


def _describe(value: Any, seen: set[int]) -> str:
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value)
    if isinstance(value, np.ndarray) and value.dtype != object:
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"array({value.dtype}, {value.shape}, {digest})"
    if isinstance(value, np.generic):
        return repr(value)
    if isinstance(value, types.ModuleType):
        return f"module {value.__name__}"
    if id(value) in seen:
        return "again"
    seen = seen | {id(value)}
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(_describe(v, seen) for v in value)})"
    if isinstance(value, (set, frozenset)):
        return f"{type(value).__name__}({', '.join(sorted(_describe(v, seen) for v in value))})"
    if isinstance(value, Mapping):
        return f"mapping({', '.join(f'{_describe(k, seen)}: {_describe(v, seen)}' for k, v in value.items())})"
    if isinstance(value, functools.partial):
        return f"partial({_describe(value.func, seen)}, {_describe(value.args, seen)}, {_describe(value.keywords, seen)})"
    if isinstance(value, types.MethodType):
        return f"method({_describe(value.__func__, seen)}, {_describe(value.__self__, seen)})"
    if isinstance(value, types.FunctionType):
        return _function(value, seen)
    if isinstance(value, type):
        return f"class {value.__module__}.{value.__qualname__}"
    name = f"{type(value).__module__}.{type(value).__qualname__}"
    if all(hasattr(value, part) for part in ("dist", "args", "kwds")):  # a frozen law of scipy.stats
        return f"{name}({value.dist.name}, {_describe(value.args, seen)}, {_describe(value.kwds, seen)})"
    if dataclasses.is_dataclass(value):
        fields = {f.name: getattr(value, f.name, None) for f in dataclasses.fields(value)}
        return f"{name}({_describe(fields, seen)})"
    text = repr(value)
    if not ADDRESS.search(text):
        return f"{name}({text})"
    return f"{name}({_describe(getattr(value, '__dict__', {}), seen)})"


def _code(code: types.CodeType) -> str:
    """Byte code and constants: for functions without a source file."""
    constants = [_code(c) if isinstance(c, types.CodeType) else repr(c) for c in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _edited(function: types.FunctionType) -> bool:
    """Whether the file of a top-level function no longer holds the code that was imported from it."""
    try:
        module = compile("".join(inspect.findsource(function)[0]), "text", "exec", dont_inherit=True)
    except (OSError, TypeError, SyntaxError, ValueError):
        return False
    codes = [c for c in module.co_consts if isinstance(c, types.CodeType) and c.co_name == function.__name__]
    return "." not in function.__qualname__ and bool(codes) and not any(_same(c, function.__code__) for c in codes)


def _same(a: types.CodeType, b: types.CodeType) -> bool:
    """Whether two codes do the same, wherever they stand."""
    if (a.co_code, a.co_names, a.co_varnames, len(a.co_consts)) != (b.co_code, b.co_names, b.co_varnames, len(b.co_consts)):
        return False
    return all(
        _same(c, d) if isinstance(c, types.CodeType) and isinstance(d, types.CodeType) else repr(c) == repr(d)
        for c, d in zip(a.co_consts, b.co_consts, strict=True)
    )


def _names(code: types.CodeType) -> set[str]:
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*(_names(c) for c in inner))


def _source(function: types.FunctionType) -> str:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return _code(function.__code__)
    statement = tree.body[0] if tree.body else None
    if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)) or function.__name__ == "<lambda>":
        return _code(function.__code__)  # the line of a lambda may hold several
    if _edited(function):
        return _code(function.__code__)
    if ast.get_docstring(statement, clean=False) is not None:
        statement.body = statement.body[1:]
    return ast.unparse(statement) if statement.body else ""


def _function(function: types.FunctionType, seen: set[int]) -> str:
    parts = [function.__qualname__, _source(function)]
    parts.append(_describe(function.__defaults__, seen))
    parts.append(_describe(function.__kwdefaults__, seen))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            parts.append(f"{name} = {_describe(cell.cell_contents, seen)}")
        except ValueError:  # not filled yet
            parts.append(f"{name} is empty")
    for name in sorted(_names(function.__code__) & set(function.__globals__)):
        value = function.__globals__[name]
        foreign = isinstance(value, types.FunctionType) and value.__module__ != function.__module__
        parts.append(f"{name} = {value.__module__}.{value.__qualname__}" if foreign else f"{name} = {_describe(value, seen)}")
    return "function(" + "; ".join(parts) + ")"
