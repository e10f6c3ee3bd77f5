"""What answers on a page without Python: what all engines share, and the engine that answers nothing.

The others have modules of their own: :mod:`~ibtext.demos.kit.table` and :mod:`~ibtext.demos.kit.dual`.
"""

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from .controls import AnyControl
from .declaration import plain
from .layers import Panel

Result = Mapping[str, Any]
Compute = Callable[[Sequence[Mapping[str, Any]]], Sequence[Result]]


@dataclass(frozen=True)
class Built:
    """What an engine has computed for a page: the bytes that the page carries, and what the reader of them needs."""

    data: bytes
    meta: dict[str, Any]

    @property
    def error(self) -> float:
        """The measured error, as a share of full scale."""
        return float(self.meta["error"])

    @property
    def checks(self) -> int:
        """At how many settings it was measured."""
        return int(self.meta["checks"])

    @property
    def compressed(self) -> int:
        """How many bytes it adds to a page, compressed as a web server does."""
        return len(zlib.compress(base64.b64encode(self.data) + json.dumps(self.meta).encode(), 6))


class Engine:
    """An engine: a new kind is one class with these methods, and one in ``frontend/src/engines``."""

    kind: ClassVar[str]

    def check(self, controls: Sequence[AnyControl], demo: str) -> None:
        """Refuse controls for which the engine cannot answer."""

    def build(self, cls: type, compute: Compute, controls: Sequence[AnyControl]) -> Built | None:
        """Return what has to be computed for the page of a demo class, or None."""
        return None

    def compute(self, panels: Sequence[Panel], parameters: Mapping[str, Any], demo: str) -> dict[str, Any]:
        """Return the result of a demo whose author wrote no ``compute``."""
        raise NotImplementedError(f"{demo} has no compute; write compute(self, **parameters) -> dict.")

    def json(self, built: Built | None) -> dict[str, Any]:
        """Return the declaration for the front end."""
        return {"kind": self.kind, **plain(vars(self))}


@dataclass(frozen=True, kw_only=True)
class Kernel(Engine):
    """No engine on static pages: the demo shows its default state and says that it needs Python."""

    reason: str = "This demo needs a running Python kernel."

    kind = "kernel"
