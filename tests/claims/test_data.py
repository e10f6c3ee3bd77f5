"""The committed table of the width sweep: complete, converged, and reproduced by retraining a random part of it."""

from __future__ import annotations

import numpy as np
import pytest
import scaled_widths as sweep

from tools.commit import commit_seed


def test_table_is_complete_and_converged():
    rows = sweep.read()
    have = {(row["potential"], int(row["width"]), int(row["seed"])) for row in rows}
    assert have == {(p, n, s) for p in sweep.POTENTIALS for n in sweep.WIDTHS for s in sweep.SEEDS}
    assert len(rows) == len(have)
    assert max(float(row["residual"]) for row in rows) <= sweep.TOL
    assert min(sweep.WIDTHS) <= 60 and max(sweep.WIDTHS) >= 43_740 and len(sweep.SEEDS) >= 10


@pytest.mark.parametrize("draw", range(3))
def test_a_random_row_is_reproduced_by_training_again(draw):
    """A new choice with every commit, so that over time the whole table (up to width 14 580) is trained again."""
    rows = [row for row in sweep.read() if int(row["width"]) <= 14_580]
    row = rows[np.random.default_rng([commit_seed(), draw]).integers(len(rows))]
    new = sweep.train(int(row["width"]), int(row["seed"]), sweep.POTENTIALS[row["potential"]])
    assert new["residual"] <= sweep.TOL
    for name in ("sup_error", "sup_error_linearised", "max_move", "kernel_change"):
        old = float(row[name])
        allowed = sweep.tolerance(name, int(row["width"]), old)
        assert new[name] == pytest.approx(old, rel=0, abs=allowed), (row["potential"], row["width"], name)
