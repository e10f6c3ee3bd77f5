"""Bad input to every public function: refused by one sentence with the rule, the value received and the remedy."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest
from scipy import stats

import ibtext as ib

X, Y = np.array([-0.5, 0.0, 0.5]), np.array([1.0, 0.0, 2.0])
INIT = ib.Initialization(bias=stats.uniform(-1, 2))
SCALED = ib.Scaled(ib.PowerPotential(3, 1.0))


def net(n=20):
    return ib.ShallowNetwork.sample(width=n, activation="abs", initialization=INIT, rng=0)


def limit(x=X, y=Y, **options):
    return ib.wide_limit(x, y, **{"activation": "abs", "initialization": INIT, **options})


def flow(x=X, y=Y, times=(1.0,), **options):
    return ib.wide_flow(x, y, times, **{"activation": "abs", "initialization": INIT, **options})


def train(x=X, y=Y, **options):
    return ib.mirror_flow(net(), x, y, **options)


def descend(x=X, y=Y, **options):
    return ib.mirror_descent(net(), x, y, **{"step_size": 0.1, "n_steps": 3, **options})


def project(x=X, y=Y, **options):
    return ib.training_limit(net(), x, y, **options)


DATA_CASES = {
    "nan label": (X, [1.0, np.nan, 2.0], "entry .* is nan"),
    "infinite input": ([-0.5, np.inf, 0.5], Y, "entry .* is inf"),
    "text": (["a", "b"], [1.0, 2.0], "array of real numbers"),
    "numbers as text": (X, ["1.0", "0.0", "2.0"], "convert the text to numbers"),
    "one number": (0.0, 1.0, r"lists, \[0.0\] for one data point"),
    "empty": ([], [], "at least one number"),
    "equal inputs, equal labels": ([0.1, 0.1, 0.5], [1.0, 1.0, 2.0], "with equal labels"),
    "equal inputs, different labels": ([0.1, 0.1, 0.5], [1.0, 3.0, 2.0], "with different labels"),
    "nearly equal inputs": ([0.1, 0.1 + 1e-15, 0.5], Y, "differ by only 1.0e-15"),
    "shapes differ": (X, [1.0, 2.0], "equal length"),
    "matrix": (X[:, None], Y[:, None], "one-dimensional"),
}
CALLS = {"wide_limit": limit, "wide_flow": flow, "mirror_flow": train, "mirror_descent": descend}
CALLS["training_limit"] = project

CASES = {
    **{
        f"{name}: {case}": (lambda call=call, x=x, y=y: call(x, y), ValueError, match)
        for name, call in CALLS.items()
        for case, (x, y, match) in DATA_CASES.items()
    },
    "limit: input outside the support": (lambda: limit([-0.5, 0.0, 1.5]), ValueError, r"x = 1.5 does not"),
    "flow: input outside the support": (lambda: flow([-0.5, 0.0, 1.5]), ValueError, r"x = 1.5 does not"),
    "kernel: outside": (lambda: ib.limit_kernel([2.0], [0.0], initialization=INIT), ValueError, "support"),
    "limit: activation": (lambda: limit(activation="gelu"), ValueError, "'relu', 'abs', 'leaky_relu'"),
    "limit: capitals": (lambda: limit(activation="Relu"), ValueError, "write 'relu'"),
    "limit: scaled, p below 2": (lambda: limit(potential=ib.Scaled(ib.PowerPotential(1.5))), ValueError, "at least 2"),
    "limit: initialization is a name": (lambda: limit(initialization="uniform"), TypeError, "but 'uniform' was given"),
    "potential: p is text": (lambda: ib.PowerPotential(p="3"), ValueError, "exponent above 1"),
    "potential: class without brackets": (lambda: ib.Scaled(ib.QuadraticPotential), TypeError, "Scaled needs a potential"),
    "limit: asymmetric law": (
        lambda: limit(initialization=ib.Initialization(bias=stats.uniform(-1, 2.5))), ValueError, "symmetric about 0",
    ),
    "limit: asymmetric weights": (
        lambda: limit(initialization=ib.Initialization(weight=stats.norm(1), bias=stats.norm())), ValueError, "symmetric",
    ),
    "limit: no initialization": (lambda: limit(initialization=None), TypeError, "must be an Initialization"),
    "limit: pure power": (lambda: limit(potential=ib.PNormPotential(3)), ValueError, r"phi''\(0\) = 0"),
    "limit: scaled pure power": (lambda: limit(potential=ib.Scaled(ib.PNormPotential(3))), ValueError, "quadratic term"),
    "limit: infinite second derivative": (lambda: limit(potential=ib.PowerPotential(1.5, 1)), ValueError, "= inf"),
    "limit: entropy": (lambda: limit(potential=ib.Scaled(ib.EntropyPotential())), ValueError, "HypentropyPotential"),
    "limit: unscaled entropy": (lambda: limit(potential=ib.EntropyPotential()), ValueError, "entropy"),
    "limit: potential is a function": (lambda: limit(potential=np.cosh), TypeError, "plain function"),
    "limit: tolerance": (lambda: limit(tol=-1), ValueError, "tol must be"),
    "limit: one point, free affine": (lambda: limit([0.1], [1.0], free_affine=True), ValueError, "two data points"),
    "limit: derivative order": (lambda: limit().derivative(X, order=3), ValueError, "order must be 1 or 2"),
    "limit: nan point": (lambda: limit()(np.nan), ValueError, "t must be finite"),
    "limit: terms for abs": (lambda: limit().penalty_terms(), ValueError, "relu network"),
    "limit: terms for scaled": (
        lambda: limit(activation="relu", potential=SCALED).penalty_terms(), ValueError, "unscaled potentials",
    ),
    "limit: output weight for relu": (lambda: limit(activation="relu").output_weight(0.0), ValueError, "two branches"),
    "limit: statistics for relu": (
        lambda: limit(activation="relu").curvature_statistics(), ValueError, "absolute value and a uniform",
    ),
    "flow: unsorted times": (lambda: flow(times=[1.0, 0.5]), ValueError, "increasing"),
    "flow: negative time": (lambda: flow(times=[-1.0, 0.5]), ValueError, "none negative"),
    "init: no bias": (lambda: ib.Initialization(), ValueError, "bias must be a frozen"),
    "init: bias is a number": (lambda: ib.Initialization(bias=1.0), ValueError, "frozen scipy.stats law"),
    "init: weight name": (lambda: ib.Initialization(weight="normal", bias=stats.norm()), ValueError, "'signs'"),
    "init: width": (lambda: INIT.sample(0), ValueError, "positive integer"),
    "init: nan": (lambda: INIT.zeta(np.nan), ValueError, "finite"),
    "net: width": (
        lambda: ib.ShallowNetwork.sample(width=2.5, initialization=INIT), ValueError, "width must be a positive integer",
    ),
    "net: initialization": (
        lambda: ib.ShallowNetwork.sample(width=3, initialization=None), TypeError, "must be an Initialization",
    ),
    "net: shapes": (lambda: ib.ShallowNetwork([1.0], [0.0, 1.0], [1.0]), ValueError, "one length n"),
    "net: nan": (lambda: ib.ShallowNetwork([np.nan], [0.0], [1.0]), ValueError, "weight must be finite"),
    "net: activation": (lambda: ib.ShallowNetwork([1.0], [0.0], [1.0], 0.0, "tanh"), ValueError, "one of 'relu'"),
    "train: layers": (lambda: train(layers="first"), ValueError, "'all', 'output'"),
    "train: tolerance": (lambda: train(tol=0.0), ValueError, "tol must be"),
    "train: steps": (lambda: train(max_steps=0), ValueError, "positive integer"),
    "train: times": (lambda: train(times=[2.0, 1.0]), ValueError, "times must be a one-dimensional increasing"),
    "train: potential": (lambda: train(potential=np.cosh), TypeError, "must be a potential"),
    "train: no curvature at 0": (lambda: train(potential=ib.PNormPotential(4)), ValueError, "positive and finite"),
    "train: not a network": (lambda: ib.mirror_flow(None, X, Y), TypeError, "must be a ShallowNetwork"),
    "descend: step": (lambda: descend(step_size=0), ValueError, "step_size must be"),
    "descend: count": (lambda: descend(n_steps=1.5), ValueError, "n_steps must be"),
    "project: layers": (lambda: project(layers="none"), ValueError, "'all', 'output'"),
    "project: not a network": (lambda: ib.training_limit("net", X, Y), TypeError, "must be a ShallowNetwork"),
    "potential: omega": (lambda: ib.PowerPotential(3, 0.0), ValueError, "omega must be"),
    "potential: p": (lambda: ib.PowerPotential(1.0, 1.0), ValueError, "exponent above 1"),
    "potential: p-norm": (lambda: ib.PNormPotential(np.inf), ValueError, "exponent above 1"),
    "potential: beta": (lambda: ib.HypentropyPotential(-1), ValueError, "beta must be"),
    "potential: scale": (lambda: ib.QuadraticPotential(np.nan), ValueError, "scale must be"),
    "potential: entropy at 0": (lambda: ib.EntropyPotential().gradient([0.5, 0.0]), ValueError, "0.0 was given"),
    "potential: entropy below 0": (lambda: ib.EntropyPotential()([-2.0]), ValueError, "-2.0 was given"),
    "potential: scaled twice": (lambda: ib.Scaled(SCALED), TypeError, "Scaled needs a potential"),
    "rates: level": (lambda: ib.rates.fit_rate([1, 2, 3.0], [3, 2, 1.0], level=95), ValueError, "between 0 and 1"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused_by_one_sentence(case):
    call, kind, match = CASES[case]
    with pytest.raises(kind, match=match) as caught:
        call()
    message = str(caught.value)
    assert ", but " in message  # the rule, then the value received
    assert re.search(r"; [a-z]", message)  # the remedy
    assert message.endswith(".") and not re.search(r"[.!?] [A-Z]", message), "more than one sentence"


def test_every_public_name_is_documented():
    for name in ib.__all__:
        thing = getattr(ib, name)
        assert thing.__doc__, name
        if inspect.ismodule(thing):  # its functions have tests of their own
            continue
        for member, value in vars(thing).items():
            if callable(value) and not member.startswith("_"):
                assert inspect.getdoc(value) or any(hasattr(base, member) for base in thing.__mro__[1:]), member
