"""Why the dual engine exists, on record, and that Python's side of it is what it says."""

import re

import numpy as np
import pytest

from ibtext.demos import Control, CurvatureDemo, Table
from ibtext.demos.kit import table as tables

CONTROLS = CurvatureDemo.controls[:2]


@pytest.mark.slow
def test_a_table_of_the_curvature_misses_the_tolerance(record_property):
    """17 x 17 nodes over p and omega, everything else fixed: fronts like |c - c0|^(1/(p-1)) move between the nodes."""
    demo = CurvatureDemo.unshown()
    rest = {k: v for k, v in CurvatureDemo.defaults().items() if k not in ("p", "omega")}

    def curvature(settings):
        return [{"curvature": demo.compute(**rest | dict(s))["limit_curvature"]} for s in settings]

    spec = Table(nodes={"p": 17, "omega": 17}, checks=100)
    with pytest.raises(tables.TableError, match="errs by") as refused:
        tables.build(curvature, CONTROLS, spec, demo="CurvatureDemo")
    error = float(re.search(r"errs by ([\d.]+)%", str(refused.value))[1]) / 100
    record_property("table_error", error)
    print(f"a 17 x 17 table of the curvature errs by {error:.2%} of full scale")
    assert error > 0.005


def test_results_are_those_of_the_package():
    """The demo's numbers are wide_limit's: the drawn arrays and the two statistics, from an independent call."""
    from scipy import stats

    import ibtext as ib

    s = CurvatureDemo.defaults() | {"p": 3.5, "omega": 0.4, "a": 1.3}
    r = CurvatureDemo.unshown().compute(**s)
    limit = ib.wide_limit(
        np.array(CurvatureDemo.controls[3].x), np.array(s["labels"]), activation="abs",
        potential=ib.Scaled(ib.PowerPotential(p=3.5, omega=0.4)),
        initialization=ib.Initialization(weight="signs", bias=stats.uniform(-1.3, 2.6)),
    )  # fmt: skip
    value_grid, curvature_grid = (np.asarray(p.x) for p in CurvatureDemo.panels)
    assert np.array_equal(r["limit_value"], limit(value_grid))
    assert np.array_equal(r["limit_curvature"], np.abs(limit.derivative(curvature_grid, order=2)))
    # the statistics against a plain sum over a fine grid of the bias range: the trapezoidal rule at kinks gives 1e-3
    fine = np.linspace(-1.3, 1.3, 20001)[1:-1]
    dense = np.abs(limit.derivative(fine, order=2))
    assert r["limit_max"] == pytest.approx(dense.max(), rel=1e-3)
    assert r["limit_mean"] == pytest.approx(dense.mean(), rel=1e-3)


def test_the_exponent_two_is_the_reference():
    r = CurvatureDemo.unshown().compute(**CurvatureDemo.defaults() | {"p": 2.0, "omega": 7.0})
    assert np.array_equal(r["limit_value"], r["quadratic_value"])


def test_controls_are_those_of_the_text():
    assert [c.symbol for c in CurvatureDemo.controls if isinstance(c, Control)] == ["q", "ω", "R"]
