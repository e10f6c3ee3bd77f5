"""Any demo, driven on a static page or beside a kernel, and judged by the ``compute`` of the class that declares it.

The judge, :func:`faults`, returns sentences about what is wrong, an empty list when nothing is; ``test_of_tests.py`` plants
errors and sees that it speaks. Places are looked at one by one and judged together, so that they share work.
"""

import base64
import importlib
import json
import re

import numpy as np

from ibtext.demos import Demo

VIEW = "application/vnd.jupyter.widget-view+json"
WIDGET_STATE = re.compile(r'<script type="application/vnd\.jupyter\.widget-state\+json">(.*?)</script>', re.DOTALL)

# A change is drawn in the next frame; what is shown is read after it, with the texts of the curves where they are wanted. It
# travels as one text: the driver would take longer to look at each number of a value than Python to parse them all.
SHOWN = """async (d, drawn) => {
  const v = d.ibtext, frame = () => new Promise(r => requestAnimationFrame(r));
  do await frame(); while (v.pending);
  return JSON.stringify({
    parameters: v.params, predict: v.question?.text() ?? '', problem: v.problem.textContent, engine: d.dataset.engine,
    summary: v.summary.textContent, status: v.status.textContent, numbers: v.result.numbers,
    arrays: Object.fromEntries(Object.entries(v.result.arrays).map(([k, a]) => [k, [...a]])),
    labels: v.plots.map(p => p.svg.attr('aria-label')),
    plots: drawn && v.plots.map(p => ({domain: p.y.domain(), x: p.grid.map(p.x), curves: p.panel.curves.map((c, k) =>
      ({key: c.key, y: [...v.result.arrays[c.key]].map(p.y), text: p.paths[k].attr('d')}))})),
  }, (_, value) => typeof value === 'number' && !Number.isFinite(value) ? String(value) : value);
}"""
# The layers that wait for an answer and are shown all the same.
UNVEILED = """d => {
  const veil = new Set(d.ibtext.spec.question.veil), found = [];
  const see = (keys, where) => {
    if (!keys.some(k => veil.has(k))) return;
    d.querySelectorAll(where).forEach(e => { if (e.getAttribute('display') !== 'none') found.push(where); });
  };
  for (const p of d.ibtext.spec.panels) {
    p.curves.forEach(c => see([c.key], `[data-curve="${c.key}"]`));
    p.paths.forEach(c => see([c.x, c.y], `[data-path="${c.y}"]`));
    p.scatter.forEach(c => see([c.x, c.y], `[data-scatter="${c.y}"]`));
    p.bands.forEach(c => see([c.lower, c.upper], `[data-band="${c.upper}"]`));
    if (p.bars) see([p.bars.key], '.ib-bar');
  }
  return found;
}"""
# Labels that stand on each other, on a curve or on a data point: the middle of the text is what must be clear.
COLLISIONS = """d => d.ibtext.plots.flatMap(p => {
  const svg = p.svg.node(), seen = e => e.getAttribute('display') !== 'none' && e.textContent;
  const boxes = [...svg.querySelectorAll('.ib-tag, .ib-over, .ib-bar-value')].filter(seen).map(e => {
    const { x, y, width, height } = e.getBBox();                 // what a curve reaches beyond the frame stands where it leaves
    return { of: e.dataset.over, text: e.textContent, left: x + 2, right: x + width - 2, top: y + 5, bottom: y + height - 5 };
  });
  const out = [], number = /-?[\\d.]+/g;
  boxes.forEach((a, i) => boxes.slice(i + 1).forEach(b => {
    if (a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom) out.push(`“${a.text}” is on “${b.text}”`);
  }));
  const crosses = (a, x0, y0, x1, y1) => {                       // does a segment meet a box? (Liang and Barsky)
    let s = 0, t = 1;
    const sides = [[x0 - x1, x0 - a.left], [x1 - x0, a.right - x0], [y0 - y1, y0 - a.top], [y1 - y0, a.bottom - y0]];
    for (const [step, room] of sides) {
      if (step === 0 && room < 0) return false;
      if (step < 0) s = Math.max(s, room / step);
      if (step > 0) t = Math.min(t, room / step);
    }
    return s <= t;
  };
  for (const path of svg.querySelectorAll('.ib-curve:not(.ib-ghost):not(.ib-sketch)')) {
    if (path.getAttribute('display') === 'none') continue;
    for (const piece of (path.getAttribute('d') ?? '').split('M').slice(1)) {
      const v = piece.match(number).map(Number);
      for (const a of boxes) for (let k = 0; k + 3 < v.length; k += 2) {
        if (a.of === path.dataset.curve && a.of || !crosses(a, v[k], v[k + 1], v[k + 2], v[k + 3])) continue;
        out.push(`“${a.text}” is on the line of ${path.dataset.curve ?? path.dataset.path}`);
        break;
      }
    }
  }
  for (const dot of svg.querySelectorAll('.ib-data .ib-dot, .ib-point')) {
    const at = (dot.getAttribute('transform') ?? `${dot.getAttribute('cx')} ${dot.getAttribute('cy')}`).match(number).map(Number);
    for (const a of boxes) {
      const near = at[0] > a.left - 3 && at[0] < a.right + 3 && at[1] > a.top - 3 && at[1] < a.bottom + 3;
      if (near) out.push(`“${a.text}” is on a point`);
    }
  }
  return out;
})"""
PAIR = re.compile(r"(-?[\d.]+(?:e-?\d+)?),(-?[\d.]+(?:e-?\d+)?)")


def shown(demo, drawn=False):
    """What a demo shows, read from its element or a locator of it."""
    return json.loads(demo.evaluate(SHOWN, drawn))


def embedded(html):
    """The demos that a built page carries, as pairs of specification and table (bytes), in no particular order."""
    found = []
    for text in WIDGET_STATE.findall(html):
        for model in json.loads(text)["state"].values():
            if "_spec" in model["state"]:
                buffers = {tuple(b["path"]): base64.b64decode(b["data"]) for b in model.get("buffers", [])}
                found.append((model["state"]["_spec"], buffers.get(("_table",), b"")))
    return found


def class_of(spec):
    """The Python class that declares a demo."""
    assert spec["module"] != "__main__", "a demo on a page lives in ibtext.demos, where tests reach its compute"
    return getattr(importlib.import_module(spec["module"]), spec["name"])


def allowed(spec, engine, key, right):
    """The error that the page admits for an output: the table's, or rounding to single precision."""
    if engine == "table":
        k = spec["engine"]["names"].index(key)
        # the error printed under the plot is the largest of a sample; at other settings it may be exceeded a little
        return max(2 * spec["engine"]["error"], 1e-3) * (spec["engine"]["high"][k] - spec["engine"]["low"][k])
    # curves travel from the kernel in single precision, and the browser's solver stops at a residual of 1e-8
    return 1e-6 * max(float(np.max(np.abs(right), initial=0.0, where=~np.isnan(right))), 1e-3)


def faults(spec, *states):
    """What is wrong with shown states of a demo, as sentences; its settings share work, as far as the demo knows how."""
    cls = class_of(spec)
    good = [state for state in states if not state["problem"]]
    keys = [json.dumps(state["parameters"]) for state in good]
    settings = {key: state["parameters"] for key, state in zip(keys, good, strict=True)}
    results = cls.unshown().compute_many(list(settings.values())) if settings else []
    known = dict(zip(settings, results, strict=True))
    truths = [known[key] for key in keys]
    found = [f"{spec['name']} shows a problem at {s['parameters']}: {s['problem']}" for s in states if s["problem"]]
    return found + [fault for state, truth in zip(good, truths, strict=True) for fault in _differences(cls, spec, state, truth)]


def _differences(cls, spec, state, truth):
    where = f"of {spec['name']} at {state['parameters']}"
    shapes = {key: shape for panel in cls.panels for key, shape in panel.shapes().items()}
    for key, shape in shapes.items():
        right = np.ravel(np.asarray(truth[key], dtype=float))
        drawn = state["arrays"].get(key, state["numbers"].get(key))
        if drawn is None:
            yield f"{key} {where} is not drawn"
            continue
        drawn = np.array(drawn, dtype=float, ndmin=1)
        if drawn.shape != right.shape or (shape is not None and right.size != np.prod(shape)):
            yield f"{key} {where} has another length"
            continue
        if not np.array_equal(np.isnan(drawn), np.isnan(right)):
            yield f"{key} {where} has other gaps"
            continue
        error = float(np.max(np.abs(drawn - right), initial=0.0, where=~np.isnan(right)))
        if error > allowed(spec, state["engine"], key, right):
            yield f"{key} {where} is off by {error:.3g}"
    if state["engine"] == "dual":  # exact; a table may change the last digit shown
        sentence = Demo.describe(cls.unshown(), truth, **state["parameters"])
        if state["summary"] != sentence:
            yield f"the summary {where} reads {state['summary']!r}, not {sentence!r}"
    elif not state["summary"].endswith(".") or "{" in state["summary"]:
        yield f"the summary {where} is no sentence: {state['summary']!r}"
    for panel, plot in zip(cls.panels, state.get("plots") or [], strict=False):
        if plot["domain"] != list(panel.limits({**truth, **state["arrays"], **state["numbers"]})):
            yield f"an axis {where} runs over {plot['domain']}"
        yield from (f"the line of {c['key']} {where} {w}" for c in plot["curves"] if (w := _astray(plot["x"], c["y"], c["text"])))


def _astray(x, y, text):
    """What is wrong with a path: its points contain those of the data, in order (it may have more), to two digits."""
    points = np.array([[float(v) for v in pair] for pair in PAIR.findall(text)])
    seen = [(px, py) for px, py in zip(x, y, strict=True) if py is not None]  # a hole has no pixel
    if not 0 <= len(points) - len(seen) <= 20:
        return f"has {len(points)} points for {len(seen)} values"
    k = 0
    for px, py in seen:
        while k < len(points) and abs(points[k][0] - px) > 0.0051:
            k += 1
        if k == len(points):
            return f"misses the value at pixel {px:.1f}"
        # far outside the frame the path is cut off, so only what can be seen is compared; extra points may share the abscissa
        if -400 < py < 700 and np.min(np.abs(points[max(k - 1, 0) : k + 3] - [px, py]).max(axis=1)) > 0.0051:
            return f"is not where its value is at pixel {px:.1f}"
    return ""


def random_value(control, rng):
    """A place of a control that the reader can reach, at random."""
    kind = control["kind"]
    if kind == "choice":
        return control["options"][rng.integers(len(control["options"]))]["value"]
    if kind == "labels":
        return [float(v) for v in rng.uniform(control["min"], control["max"], len(control["default"]))]
    if kind == "points":
        limits = np.array([control["xLimits"], control["yLimits"]], dtype=float)
        return [[float(v) for v in rng.uniform(limits[:, 0], limits[:, 1])] for _ in control["default"]]
    low, high, share = control["min"], control["max"], float(rng.uniform())
    return low * (high / low) ** share if control["log"] else low + (high - low) * share


def end_values(control):
    """The values of a control at its ends: both ends of a slider, all options, all handles low and all handles high."""
    kind, n = control["kind"], len(control["default"]) if isinstance(control["default"], list) else 1
    if kind == "choice":
        return [o["value"] for o in control["options"]]
    if kind == "labels":
        return [[float(control["min"])] * n, [float(control["max"])] * n]
    if kind == "points":
        return None  # handles in one place are no setting that every demo has an answer for
    return [control["min"], control["max"]]


class Driven:
    """A demo on a page, and the Python class that declares it."""

    def __init__(self, page, index):
        self.page = page
        self.root = page.locator(".ib-demo").nth(index)
        self.spec = self.root.evaluate("d => d.ibtext.spec")
        self.cls = class_of(self.spec)
        self.seen, self.standing = [], []

    def look(self, *, drawn=False, **expected):
        """Read what is shown, for :meth:`judge`; the parameters named must have the values given."""
        state = shown(self.root, drawn)
        for name, value in expected.items():
            assert near(state["parameters"][name], value), (name, state["parameters"][name], value)
        self.seen.append(state)
        if drawn:
            self.standing += [(state["parameters"], fault) for fault in self.root.evaluate(COLLISIONS)]
        return state

    def judge(self):
        """Compare all places looked at since the last time with ``compute``."""
        seen, self.seen = self.seen, []
        found = faults(self.spec, *seen)
        assert seen and not found, "\n".join(found[:5])

    def check(self, **expected):
        """Look and judge at once."""
        state = self.look(drawn=True, **expected)
        self.judge()
        return state

    def open(self):
        """Skip the question, if it still waits."""
        skip = self.root.locator(".ib-skip")
        if skip.count() and skip.is_visible():
            skip.focus()
            self.page.keyboard.press("Enter")

    def reset(self):
        """Press Reset; the defaults are back."""
        self.root.locator(".ib-reset").focus()
        self.page.keyboard.press("Enter")
        return self.look(**self.spec["defaults"])

    def control(self, *kinds):
        """Return the declarations of the controls of some kinds."""
        return [c for c in self.spec["controls"] if c["kind"] in kinds]

    def slider(self, name):
        """Return a slider's element."""
        return self.root.locator(f'input[data-parameter="{name}"]')

    def handles(self, name):
        """Return the draggable points of a control."""
        return self.root.locator(f'.ib-point[data-control="{name}"]')

    def random_place(self, rng):
        """Move every control at once to a random place that is not the one at the start."""
        place = self.spec["defaults"]
        while all(near(place[name], value) for name, value in self.spec["defaults"].items()):
            place = {c["name"]: random_value(c, rng) for c in self.spec["controls"]}
        self.root.evaluate("(d, place) => d.ibtext.change(place)", place)
        return place


def near(a, b):
    """Tell whether two parameter values agree to rounding; words must be equal."""
    if isinstance(b, str):
        return a == b
    return np.shape(a) == np.shape(b) and bool(np.all(np.abs(np.subtract(a, b)) <= 1e-11 * np.maximum(1, np.abs(b))))


def demos_on(page):
    """The demos of a page, all of which are mounted."""
    count = page.locator(".ib-demo").count()
    assert count == page.locator(f'script[type="{VIEW}"]').count() > 0
    return [Driven(page, k) for k in range(count)]
