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
from typing import Any, ClassVar, Self

import anywidget
import matplotlib as mpl
import numpy as np
import traitlets as T
from IPython.display import display

from . import figure
from .controls import AnyControl
from .declaration import demand, demand_known, plain
from .engines import Built, Engine, Kernel
from .layers import Panel, check_shapes
from .questions import AnyQuestion
from .summary import fields, sentence

#: The name under which a page's address keeps the reader's prediction.
RESERVED = "predict"
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
    engine: ClassVar[Engine] = Kernel()

    _home: ClassVar[str]
    _owner: ClassVar[type[Demo]]
    _built: ClassVar[Built | None]

    _esm = STATIC / "demo.js"
    _css = STATIC / "demo.css"
    _spec = T.Dict().tag(sync=True)
    _frame = T.Dict().tag(sync=True)
    _table = T.Bytes().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "controls" not in cls.__dict__ and "presets" not in cls.__dict__ and "panels" not in cls.__dict__:
            return  # also the anonymous classes that traitlets makes for single instances
        cls._check()
        cls._home = "ibtext.demos" if cls.__module__.startswith("ibtext.demos.") else cls.__module__
        cls._owner, cls._built = cls, None
        for c in cls.controls:
            trait = c.trait().tag(sync=True)
            setattr(cls, c.name, trait)
            trait.class_init(cls, c.name)

    def __init__(self, **parameters: Any) -> None:
        names = [c.name for c in self.controls]
        unknown = [k for k in parameters if k not in names and not self.has_trait(k)]
        if unknown:
            raise TypeError(
                f"{type(self).__name__} takes the parameters {', '.join(names)}, but received {', '.join(unknown)}; use one of "
                "those listed."
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
        if type(self).compute_many is not Demo.compute_many:
            return self.compute_many([parameters])[0]
        return self.engine.compute(self.panels, parameters, type(self).__name__)

    def compute_many(self, settings: Sequence[Mapping[str, Any]]) -> list[Result]:
        """Return the results of several settings; write this instead of ``compute`` where settings can share work."""
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
        return {c.name: c.declared(getattr(self, c.name)) for c in self.controls}

    @property
    def result(self) -> Result:
        """The result at the present setting."""
        if self._result is None:  # the last computation failed: fail again, in the caller's sight
            return self.compute(**self.parameters)
        return self._result

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """Return the setting at the start."""
        return {c.name: c.start() for c in cls.controls}

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
        parameters, controls = self.parameters, {c.name: c for c in self.controls}
        words = fields(self.controls, parameters)
        with mpl.rc_context(figure.STYLE):
            sheet = figure.sheet(len(self.panels))
            for axes, panel in zip(sheet.axes, self.panels, strict=True):
                panel.draw(axes, controls, self.result, parameters, words)
        return sheet

    @classmethod
    def table_error(cls) -> float | None:
        """Return the measured error of the table (share of full scale), or None for other engines."""
        built = cls._build()
        return None if built is None else built.error

    # -- plumbing --------------------------------------------------------------------------------------------------------

    @classmethod
    def unshown(cls) -> Self:
        """Return an instance that computes and describes, and is no widget: it has no table and no view."""
        return cls.__new__(cls)

    @classmethod
    def _check(cls) -> None:
        """Refuse a declaration that cannot work, at the moment the class is made."""
        demo, names = cls.__name__, [c.name for c in cls.controls]
        rule = f"The name {RESERVED!r} keeps the reader's prediction in the address"
        demand(RESERVED not in names, f"{rule}, but {demo} has a control of that name; choose another.")
        sliders = sum(c.is_slider for c in cls.controls)
        demand(sliders <= 3, f"A demo has at most three sliders, but {demo} has {sliders}; make it two demos.")
        cls.engine.check(cls.controls, demo)
        for preset, values in cls.presets.items():
            demand_known(values, names, f"A preset sets parameters of its demo, but {preset!r} of {demo} sets")
        for panel in cls.panels:
            panel.check(cls.controls, demo)
        for c in cls.controls:
            n = sum(p.points == c.name for p in cls.panels)
            rule = "Draggable points are drawn in one panel"
            demand(n == c.is_dragged, f"{rule}, but {n} panels of {demo} have points={c.name!r}; give it to one.")
        if cls.question is not None:
            cls.question.check(cls.panels, demo)

    @classmethod
    def _build(cls) -> Built | None:
        owner = cls._owner
        if owner._built is None:
            owner._built = cls.engine.build(owner, owner.unshown().compute_many, cls.controls)
        return owner._built

    @classmethod
    def _declaration(cls, built: Built | None) -> dict[str, Any]:
        """Return everything the front end needs to know, as plain JSON."""
        return {
            "name": cls.__name__, "module": cls._home, "title": cls.title, "summary": cls.summary,
            "engine": cls.engine.json(built), "question": cls.question and cls.question.json(),
            "controls": [c.json() for c in cls.controls], "panels": [p.json() for p in cls.panels],
            "presets": {k: {**cls.defaults(), **plain(v)} for k, v in cls.presets.items()}, "defaults": cls.defaults(),
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
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        alt = self.describe(self.result, **self.parameters)
        return {**data, "text/plain": f"{self.state()}: {alt}", "image/png": figure.png(self.figure())}, metadata

    def _ipython_display_(self) -> None:
        """Show the widget, and before it a figure that only a browser without scripts shows."""
        end = "" if self.title.endswith("?") else "."
        alt = f"{self.title}{end} {self.describe(self.result, **self.parameters)}"
        display({"text/html": figure.noscript(self.figure(), alt), "text/plain": alt}, raw=True)
        data, metadata = self._repr_mimebundle_()
        display(data, metadata=metadata, raw=True)
