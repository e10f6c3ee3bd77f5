"""Every demo at every end of every control, its presets, its state; and what a broken demo does."""

import ast
import base64
import gzip
import pathlib
import re
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
import traitlets

import ibtext.demos
from ibtext.demos import (
    Choice,
    Control,
    CurvatureDemo,
    Curve,
    Demo,
    Dual,
    FlowDemo,
    Image,
    Kernel,
    Labels,
    Mark,
    Panel,
    Points,
    Question,
    Scatter,
    Sketch,
    Table,
)  # fmt: skip
from ibtext.demos.kit import DeclarationError

DEMOS = [CurvatureDemo, FlowDemo]
GRID = np.linspace(0.0, 1.0, 11)


@pytest.mark.parametrize("cls", DEMOS)
def test_the_data_points_are_met_where_they_must_be(cls):
    """The drawn function passes through the drawn points: at any setting for the limit, at late times for the flow."""
    if cls is CurvatureDemo:
        setting = cls.defaults() | {"p": 4.7, "omega": 0.3, "a": 1.7}
        value, labels = cls.unshown().compute(**setting)["limit_value"], setting["labels"]
        tolerance = 1e-9  # the equation is solved to 1e-12, and the points are nodes of the grid up to rounding
    else:
        value, labels = cls.unshown().compute(t=1e4, p=2.5)["quadratic_value"], cls.panels[0].data[1]
        tolerance = 1e-6  # exp(-0.002 * 1e4 / 2) of the slowest mode, times its share of the residual, and the integrator's 1e-6
    x = cls.panels[0].marks
    at = [int(np.argmin(np.abs(np.asarray(cls.panels[0].x) - v))) for v in x]
    assert np.max(np.abs(value[at] - labels)) < tolerance


def test_large_exponents_lower_the_peak_and_raise_the_mean():
    """What the question's answer says, on every preset of the demo."""
    for values in CurvatureDemo.presets.values():
        r = CurvatureDemo.unshown().compute(**CurvatureDemo.defaults() | dict(values) | {"p": 4.0})
        assert r["limit_max"] < r["quadratic_max"] and r["limit_mean"] > r["quadratic_mean"]


def test_state_recreates_the_view():
    demo = CurvatureDemo(p=4.25, labels=[0.1, 0.2, 0.3, -0.4, 0.5])
    again = eval(demo.state(), {"CurvatureDemo": CurvatureDemo})
    assert again.parameters == demo.parameters
    assert again.state() == demo.state()
    assert again._frame == demo._frame


def test_presets_and_traits_move_the_demo_and_one_message_gives_one_result():
    demo = CurvatureDemo()
    frames = []
    demo.observe(lambda change: frames.append(change["new"]), names="_frame")
    demo.apply_preset("Zigzag")
    assert len(frames) == 1 and frames[0]["parameters"]["labels"] == [0.4, -0.4, 0.4, -0.4, 0.4]
    demo.p = 2.0
    assert np.frombuffer(frames[-1]["arrays"]["limit_value"], "<f4") == pytest.approx(
        np.frombuffer(frames[-1]["arrays"]["quadratic_value"], "<f4")
    )
    with pytest.raises(KeyError, match="presets Demonstration set"):
        demo.apply_preset("none such")
    with pytest.raises(traitlets.TraitError):
        demo.p = 7.0
    with pytest.raises(TypeError, match="takes the parameters p, omega, a, labels"):
        CurvatureDemo(exponent=3)


def test_demos_nest_and_link():
    import ipywidgets

    left, right = CurvatureDemo(), CurvatureDemo()
    traitlets.link((left, "p"), (right, "p"))
    left.p = 4.0
    assert right.p == 4.0 and right._frame["parameters"]["p"] == 4.0
    assert ipywidgets.VBox([left, right]).children == (left, right)


class Broken(Demo):
    """Fails on purpose above one half."""

    title = "Broken"
    controls = (Control(name="q", symbol="q", label="number", minimum=0.0, maximum=1.0, default=0.25),)
    panels = (Panel(title="t", x=GRID, x_label="x", y_label="y", y_limits=(0, 1), curves=(Curve(key="y", label="y"),)),)
    summary = "At q = {q:.2f} all is well."

    def compute(self, *, q):
        if q > 0.5:
            raise ValueError("q must stay below one half, but 0.75 was given")
        return {"y": q * GRID}


def test_an_exception_is_shown_and_raised():
    demo = Broken()
    assert "error" not in demo._frame
    with pytest.raises(ValueError, match="one half"):
        demo.q = 0.75
    assert demo._frame["error"] == "Python could not compute this setting: q must stay below one half, but 0.75 was given"
    demo.q = 0.5
    assert "error" not in demo._frame


def test_the_widget_carries_a_picture_for_readers_without_scripts():
    demo = CurvatureDemo()
    data, _ = demo._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    from ibtext.demos.kit import figure

    page = figure.noscript(demo.figure(), 'said "so"')
    source = unquote(re.fullmatch(r'<noscript class="ib-still">.*src="data:image/svg\+xml,([^"]*)".*</noscript>', page)[1])
    root = ElementTree.fromstring(source)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "&quot;so&quot;" in page
    ids = {e.get("id") for e in root.iter()}
    links = set(re.findall(r"(?:url\(|href=.)#([\w-]+)", source))
    assert links and links <= ids, "what the picture uses is in it"
    assert len(gzip.compress(page.encode())) < 15_000
    assert figure.noscript(demo.figure(), 'said "so"') == page, "the same view gives the same bytes"


def test_the_still_picture_shows_the_same_numbers():
    demo = CurvatureDemo(p=4.0)
    lines = [line for axes in demo.figure().axes for line in axes.lines]
    drawn = [np.asarray(line.get_ydata()) for line in lines]
    for key, value in demo.result.items():
        if np.ndim(value):
            assert any(d.shape == value.shape and np.array_equal(d, value) for d in drawn), key


def test_importing_the_package_loads_no_widgets():
    import subprocess
    import sys

    code = "import sys, ibtext; print([m for m in ('anywidget', 'ipywidgets', 'matplotlib') if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
    assert "CurvatureDemo" in dir(ibtext.demos)
    with pytest.raises(AttributeError, match="NoSuchDemo"):
        _ = ibtext.demos.NoSuchDemo


def test_the_example_of_the_guide_runs():
    """The guide's ten-line demo is a demo: it builds its table, describes itself and draws itself."""
    guide = (pathlib.Path(ibtext.demos.__file__).parent / "README.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", guide, re.S)[1]
    space = {"__name__": "guide"}
    exec(compile(ast.parse(code), "README.md", "exec"), space)
    demo = space["DecayDemo"]()
    assert demo.table_error() < 0.005
    assert demo.state() == "DecayDemo(eta=0.2)" and demo._spec["module"] == "guide"
    demo.eta = 0.05
    assert demo._frame["summary"] == "With η = 0.05 the error has fallen to 36.8% at t = 20."
    assert len(demo.figure().axes) == 1


def test_the_second_example_of_the_guide_runs():
    """A heat map, a free point, a choice and a mark, as the guide writes them."""
    guide = (pathlib.Path(ibtext.demos.__file__).parent / "README.md").read_text(encoding="utf-8")
    space = {"__name__": "guide"}
    exec(re.findall(r"```python\n(.*?)```", guide, re.S)[1], space)
    demo = space["HillDemo"](stone=[[-0.6, 0.4]], power=1.0)
    assert demo.table_error() < 0.005
    assert demo.state() == "HillDemo(stone=[[-0.6, 0.4]], power=1)", "a choice keeps the type that was declared"
    assert demo._frame["summary"].startswith("The top stands at (−0.30, 0.20); the cone falls to −")
    assert eval(demo.state(), space)._frame == demo._frame
    with pytest.raises(traitlets.TraitError, match="Points stay in their box"):
        demo.stone = [[2.0, 0.0]]
    with pytest.raises(traitlets.TraitError):
        demo.power = 3


def test_a_result_that_does_not_fit_its_panels_is_refused():
    def broken(**result):
        return type("Unfit", (Broken,), {"controls": Broken.controls, "compute": lambda self, *, q: result})

    for result, words in (({}, "has no 'y'"), ({"y": GRID[1:]}, "has (10,) where")):
        with pytest.raises(DeclarationError, match=re.escape(words)):
            broken(**result)()


FREE = Points(name="f", symbol="f", label="f", default=((0, 0), (1, 1)), x_limits=(0, 1), y_limits=(0, 1))

NODES = Table(nodes={"f": 3})


REFUSED = {
    "more than three sliders": (lambda: declare(controls=[slider(k) for k in "abcd"]), "at most three sliders"),
    "table with labels": (lambda: declare(controls=[LABELS], engine=Table(nodes={})), "table answers for sliders only"),
    "unknown preset parameter": (lambda: declare(controls=[slider("a")], presets={"x": {"b": 1}}), "preset sets parameters"),
    "one option": (lambda: choice({1: "one"}, 1), "two to six options"),
    "default text": (lambda: choice({1: "a", 2: "b"}, "a"), "one of its options"),
    "option text": (lambda: choice({"a b": "a", "c": "c"}, "c"), "a word of letters"),
    "point outside": (lambda: free(((2, 0),), (0, 1)), "lies in its range"),
    "point limits": (lambda: free(((0, 0),), (1, 0)), "increase"),
    "single pair": (lambda: free(((0,),), (0, 1)), "two coordinates"),
    "four dimensions": (lambda: declare(controls=[FREE], panels=[panel(points="f")], engine=NODES), "three continuous"),
    "points nowhere": (lambda: declare(controls=[FREE]), "drawn in one panel"),
    "linear in nothing": (lambda: declare(controls=[slider("a")], engine=Table(linear="a")), "linear in a Labels"),
    "nodes of nothing": (lambda: declare(controls=[slider("a")], engine=Table(nodes={"a": 3, "b": 3})), "names the controls"),
    "reserved name": (lambda: declare(controls=[slider("predict")]), "keeps the reader's prediction"),
    "marker": (lambda: Scatter(x="x", y="y", marker="o"), "a marker from the list"),
    "aspect": (lambda: panel(aspect=2), "'auto' or 'equal'"),
    "image limits": (lambda: Image(key="i", y=GRID, limits=(1, 0), label="i"), "limits of an image increase"),
    "image grid": (lambda: Image(key="i", y=[0, 1, 3], limits=(0, 1), label="i"), "equally spaced"),
    "sketch order": (lambda: Sketch(text="?", curve="y", at=(1, 0), because=""), "from left to right"),
    "sketch of nothing": (lambda: asks(Sketch(text="?", curve="z", at=(0, 1), because="")), "compared with a curve"),
    "sketch outside": (lambda: asks(Sketch(text="?", curve="y", at=(0, 2), because="")), "stand on the panel"),
    "mark elsewhere": (lambda: asks(Mark(text="?", x="a", y="b", panel=1, because="")), "counted from 0"),
    "hide nothing": (lambda: asks(Mark(text="?", x="a", y="b", hide=("z",), because="")), "hides keys that a panel draws"),
    "unknown reference": (lambda: declare(controls=[slider("a")], panels=[panel(cursor="b")]), "refers to controls"),
    "swapped range": (lambda: slider("a", minimum=2.0), "minimum up to a maximum"),
    "default outside": (lambda: slider("a", default=5.0), "default of a control"),
    "log of zero": (lambda: slider("a", log=True), "logarithmic control is positive"),
    "label count": (lambda: Labels(name="y", symbol="y", label="l", x=[0, 1], default=[0]), "one label"),
    "label range": (lambda: Labels(name="y", symbol="y", label="l", x=[0], default=[2]), "lies in its range"),
    "unsorted grid": (lambda: panel(x=[0, 2, 1]), "increasing list"),
    "limits": (lambda: panel(y_limits=(1, 0)), "limits of a panel increase"),
    "colour": (lambda: Curve(key="y", label="y", color="tab:blue"), "a colour from the list"),
    "answer": (lambda: Question(text="?", choices=("a", "b"), answer=2, because=""), "count the answer from 0"),
    "dual keys": (lambda: Dual(solutions={"limit": {"x": (0,), "q": 2}}), "exactly the five"),
    "table nodes": (lambda: declare(controls=[slider("a")], engine=Table(nodes={}))(), "number of nodes for every control"),
}  # fmt: skip

LABELS = Labels(name="y", symbol="y", label="l", x=[0.0], default=[0.0])


def slider(name, **change):
    return Control(**{"name": name, "symbol": name, "label": name, "minimum": 0.0, "maximum": 1.0, "default": 0.5} | change)


def panel(**change):
    base = {"title": "t", "x": GRID, "x_label": "x", "y_label": "y", "y_limits": (0, 1), "curves": ()}
    return Panel(**base | change)


def free(default, x_limits):
    return Points(name="f", symbol="f", label="f", default=default, x_limits=x_limits, y_limits=(0, 1))


def choice(options, default):
    return Choice(name="c", symbol="", label="c", options=options, default=default)


def asks(question):
    drawn = panel(curves=(Curve(key="y", label="y"),))
    return declare(controls=[slider("a")], panels=[drawn], question=question)


def declare(**attributes):
    return type("Declared", (Demo,), {"engine": Kernel()} | attributes)


@pytest.mark.parametrize("make", [pytest.param(v, id=k) for k, v in REFUSED.items()])
def test_declarations_that_cannot_work_are_refused_in_one_sentence(make):
    build, words = make
    with pytest.raises(DeclarationError, match=re.escape(words)) as caught:
        build()
    assert str(caught.value).count(". ") == 0 and "; " in str(caught.value) and str(caught.value).endswith(".")
