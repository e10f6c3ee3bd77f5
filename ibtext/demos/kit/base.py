"""The one class behind every live demo.

A demo is a widget.  Its author writes a subclass with a title, a question, controls, panels, presets, a summary and a pure
``compute``; the front end, the static figure and the answers on pages without Python follow from these.  ``README.md`` beside
this file shows a demo in ten lines.

With a kernel, Python recomputes on every change.  Messages that arrive while it computes are merged by the widget protocol, so
the latest value wins; the front end draws a result only if it belongs to the present setting.  An exception in ``compute`` is
shown under the plot as a sentence *and* raised, so that it reaches the log, too.
"""

from __future__ import annotations

import pathlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import anywidget
import numpy as np
import traitlets as T

from . import dual, store, table, wire
from .checks import check
from .controls import AnyControl, Choice, Labels, Points
from .engines import Dual, Kernel, Table
from .layers import Panel, check_shapes
from .questions import AnyQuestion
from .words import fields, sentence

STATIC = pathlib.Path(__file__).parents[1] / "static"

Result = dict[str, Any]


class Demo(anywidget.AnyWidget):
    """A live demo: subclass it, declare, write ``compute``.

    Attributes
    ----------
    title : str
        A few words.
    question : Question, Sketch, Mark or None
        What the reader predicts before moving anything; None for a demo without.
    controls : sequence of Control, Choice, Labels and Points
        At most three :class:`Control`, and any of the others.
    panels : sequence of Panel
        One or more :class:`Panel`.
    presets : dict
        Named settings; a parameter that a preset leaves out takes its default.
    summary : str
        One sentence with fields such as ``{peak:.2f}``, filled from the numbers of the result and the
        parameters (formats: ``.Nf``, ``.Ng``, ``.N%``); ``{key_max}``, ``{key_min}`` and ``{key_rms}`` of an array
        need not be returned.  It is the live summary and the alternative text.
    engine : Table, Dual or Kernel
        What answers on a page without Python: :class:`Table`, :class:`Dual` or :class:`Kernel`.
    """

    title: ClassVar[str] = ""
    question: ClassVar[AnyQuestion | None] = None
    controls: ClassVar[Sequence[AnyControl]] = ()
    panels: ClassVar[Sequence[Panel]] = ()
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    summary: ClassVar[str] = ""
    engine: ClassVar[Table | Dual | Kernel] = Kernel()

    _home: ClassVar[str]
    _owner: ClassVar[type[Demo]]
    _built: ClassVar[table.Built | None]

    _esm = STATIC / "demo.js"
    _css = STATIC / "demo.css"
    _spec = T.Dict().tag(sync=True)
    _frame = T.Dict().tag(sync=True)
    _table = T.Bytes().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "controls" not in cls.__dict__ and "presets" not in cls.__dict__ and "panels" not in cls.__dict__:
            return  # also the anonymous classes that traitlets makes for single instances
        check(cls)
        cls._home = "ibtext.demos" if cls.__module__.startswith("ibtext.demos.") else cls.__module__
        cls._owner, cls._built = cls, None
        for c in cls.controls:
            trait = _trait(c).tag(sync=True)
            setattr(cls, c.name, trait)
            trait.class_init(cls, c.name)

    def __init__(self, **parameters: Any) -> None:
        names = [c.name for c in self.controls]
        unknown = [k for k in parameters if k not in names and not self.has_trait(k)]
        if unknown:
            raise TypeError(
                f"{type(self).__name__} takes the parameters {', '.join(names)}, but received {', '.join(unknown)}; a name was "
                "probably misspelt; use one of those listed."
            )
        built = self._build()
        super().__init__(**parameters, _table=b"" if built is None else built.data, _spec=self._declaration(built))
        self._last: dict[str, Any] | None = None
        self._result: Result | None = None
        self._recompute()
        self.observe(self._recompute, names=names)

    # -- what an author writes -------------------------------------------------------------------------------------------

    def compute(self, *args: Any, **parameters: Any) -> Result:
        """Return the arrays that the panels draw and the numbers that the summary names.  Pure; NumPy in, NumPy out."""
        if isinstance(self.engine, Dual):
            return dual.compute(self.engine, self.panels, parameters)
        raise NotImplementedError(f"{type(self).__name__} has no compute; write compute(self, **parameters) -> dict.")

    def compute_many(self, settings: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Return the results of several settings; override it where settings can share work."""
        return [self.compute(**s) for s in settings]

    def describe(self, result: Mapping[str, Any], **parameters: Any) -> str:
        """Return the summary sentence for a result.

        Beside the numbers of the result and the parameters, ``{key_here}`` is the value of a curve at its panel's cursor.
        """
        return sentence(self.summary, controls=self.controls, panels=self.panels, result=result, parameters=parameters)

    # -- what a reader uses ----------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> dict[str, Any]:
        """The present setting."""
        values = ((c, getattr(self, c.name)) for c in self.controls)
        return {c.name: c.value(v) if isinstance(c, Choice) else v for c, v in values}

    @property
    def result(self) -> Result:
        """The result at the present setting."""
        if self._result is None:  # the last computation failed: fail again, in the caller's sight
            return self.compute(**self.parameters)
        return self._result

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return the setting at the start."""
        return {c.name: wire.default(c) for c in cls.controls}

    def apply_preset(self, name: str) -> None:
        """Move to a named setting."""
        if name not in self.presets:
            raise KeyError(
                f"{type(self).__name__} has the presets {', '.join(self.presets)}, but {name!r} was asked for; "
                f"choose one of those."
            )
        with self.hold_trait_notifications():
            for k, v in {**self.defaults(), **self.presets[name]}.items():
                setattr(self, k, v)

    def state(self) -> str:
        """Return the Python call that recreates this view."""
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.parameters.items())})"

    def figure(self) -> Any:
        """Return the present view as a Matplotlib figure, drawn from the same declaration."""
        from . import figure  # Matplotlib is needed for still pictures only

        parameters = self.parameters
        return figure.draw(self.panels, self._points(), self.result, parameters, fields(self.controls, parameters))

    @classmethod
    def table_error(cls) -> float | None:
        """Return the measured error of the table (share of full scale), or None for other engines."""
        built = cls._build()
        return None if built is None else built.error

    # -- plumbing --------------------------------------------------------------------------------------------------------

    @classmethod
    def _build(cls) -> table.Built | None:
        if not isinstance(cls.engine, Table):
            return None
        if cls._owner._built is None:
            cls._owner._built = store.load(cls._owner)
        built = cls._owner._built
        if built is None:
            built = table.build(_Unbound(cls).compute_many, cls.controls, cls.engine, demo=cls.__name__)
            cls._owner._built = built
            store.save(cls._owner, built)
        return built

    @classmethod
    def _points(cls) -> dict[str, Labels | Points]:
        return {c.name: c for c in cls.controls if isinstance(c, Labels | Points)}

    @classmethod
    def _declaration(cls, built: table.Built | None) -> dict[str, Any]:
        """Return everything the front end needs to know, as plain JSON."""
        engine: dict[str, Any]
        if built is not None:
            engine = {"kind": "table", **built.meta}
        elif isinstance(cls.engine, Dual):
            engine = {"kind": "dual", "magnitudes": cls.engine.magnitudes, "solutions": wire.plain(cls.engine.solutions)}
        else:
            assert isinstance(cls.engine, Kernel)
            engine = {"kind": "kernel", "reason": cls.engine.reason}
        return {
            "name": cls.__name__, "module": cls._home, "title": cls.title, "summary": cls.summary, "engine": engine,
            "question": wire.question(cls.question),
            "controls": [wire.control(c) for c in cls.controls], "panels": [wire.panel(p) for p in cls.panels],
            "presets": {k: {**cls.defaults(), **wire.plain(v)} for k, v in cls.presets.items()}, "defaults": cls.defaults(),
        }  # fmt: skip

    def _recompute(self, change: Any = None) -> None:
        parameters = self.parameters
        if parameters == self._last:
            return  # one message may change several parameters; one result answers it
        self._last, self._result = parameters, None
        try:
            result = self.compute(**parameters)
            check_shapes(self.panels, result, type(self)._owner.__name__)
            text = self.describe(result, **parameters)
        except Exception as error:
            self._frame = {"parameters": parameters, "error": f"Python could not compute this setting: {error}"}
            raise
        self._result = result
        self._frame = {
            "parameters": parameters,
            "summary": text,
            "arrays": {k: np.asarray(v, "<f4").tobytes() for k, v in result.items() if np.ndim(v)},
            "numbers": {k: float(v) for k, v in result.items() if not np.ndim(v)},
        }

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """Carry a picture beside the widget, for readers of the notebook where no widget runs."""
        from . import figure

        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        alt = self.describe(self.result, **self.parameters)
        return {**data, "text/plain": f"{self.state()}: {alt}", "image/png": figure.png(self.figure())}, metadata

    def _ipython_display_(self) -> None:
        """Show the widget, and before it a figure that only a browser without scripts shows."""
        from IPython.display import display

        from . import figure

        end = "" if self.title.endswith("?") else "."
        alt = f"{self.title}{end} {self.describe(self.result, **self.parameters)}"
        display({"text/html": figure.noscript(self.figure(), alt), "text/plain": alt}, raw=True)
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)


class _Unbound:
    """The computing half of a demo class, without a widget: tables are built once a class, before any instance exists."""

    def __init__(self, cls: type[Demo]) -> None:
        self._cls = cls

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._cls, name)
        return (
            value.__get__(self) if callable(value) and not isinstance(value, type) and not hasattr(value, "__self__") else value
        )


class _Handles(T.List[Any]):
    """A list of points that stay in their box."""

    def __init__(self, points: Points) -> None:
        self._box = points
        n = len(points.default)
        pair: Any = T.List(T.Float(), minlen=2, maxlen=2)
        super().__init__(pair, default_value=wire.default(points), minlen=n, maxlen=n)

    def validate(self, obj: Any, value: Any) -> list[Any]:
        """Refuse points outside the box, too."""
        points: list[Any] = super().validate(obj, [list(map(float, p)) for p in value]) or []
        if not all(self._box.holds(p) for p in points):
            raise T.TraitError(
                f"Points stay in their box, but {self._box.name!r} was set to {points} outside {self._box.x_limits} x "
                f"{self._box.y_limits}; x and y were probably swapped; give ((x, y), ...) inside."
            )
        return points


def _trait(c: AnyControl) -> T.TraitType[Any, Any]:
    """Return the trait that holds a control's value."""
    if isinstance(c, Points):
        return _Handles(c)
    if isinstance(c, Choice):
        return T.Enum(list(c.options), default_value=c.default)
    if isinstance(c, Labels):
        value = T.Float(min=c.minimum, max=c.maximum)
        return T.List(value, default_value=wire.default(c), minlen=len(c.x), maxlen=len(c.x))
    return T.Float(float(c.default), min=c.minimum, max=c.maximum)
