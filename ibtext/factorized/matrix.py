r"""Matrix factorisation for matrix sensing and completion: the flow in the factors, and the rank of its path.

Measurements :math:`\langle A_i, X\rangle = b_i` of a matrix :math:`X = UU^T` or :math:`X = UV^T`, loss
:math:`\frac12\sum_i(\langle A_i, X\rangle - b_i)^2`. With :math:`G = \sum_i(\langle A_i, X\rangle - b_i)A_i`,

.. math:: \dot U = -(G + G^T)U \quad (UU^T), \qquad \dot U = -GV,\ \dot V = -G^TU \quad (UV^T).

From a small start the singular values grow one after the other, and X stays near low rank.

Source: Gunasekar, Woodworth, Bhojanapalli, Neyshabur and Srebro (2017), Implicit regularization in matrix factorization; for
the effective rank Roy and Vetterli (2007).
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, issparse
from scipy.special import entr

from ..errors import check_count, check_flag, check_points, check_positive, check_times, shortened
from ..linear.descent import descend
from ..numerics.arrays import Array
from .integrate import integrate

__all__ = ["FactorizationPath", "completion_measurements", "effective_rank", "matrix_descent", "matrix_flow"]


@dataclass(frozen=True)
class FactorizationPath:
    """Training of a factorised matrix at chosen times (or steps).

    Attributes
    ----------
    times : array (T,)
        Flow times.
    left, right : array (T, d1, rank), array (T, d2, rank)
        The factors; equal for a symmetric factorisation.
    losses : array (T,)
    matrices : array (T, d1, d2)
        Products of the factors, when first asked for.
    singular_values : array (T, min(d1, d2))
        Of the matrices, in decreasing order, when first asked for.
    """

    times: Array
    left: Array
    right: Array
    losses: Array

    @cached_property
    def matrices(self) -> Array:
        """The matrices X, shape (T, d1, d2)."""
        return np.asarray(self.left @ np.swapaxes(self.right, 1, 2))

    @cached_property
    def singular_values(self) -> Array:
        """Their singular values, shape (T, min(d1, d2)), in decreasing order."""
        return np.asarray(np.linalg.svd(self.matrices, compute_uv=False))

    @property
    def nuclear_norms(self) -> Array:
        """Sum of the singular values, shape (T,)."""
        return np.asarray(self.singular_values.sum(axis=1))

    @property
    def effective_ranks(self) -> Array:
        """Exponential of the entropy of the normalised singular values, shape (T,)."""
        return effective_rank(self.singular_values)


def matrix_flow(
    measurements: ArrayLike, b: ArrayLike, times: ArrayLike, *, start: Any, symmetric: bool = True, rtol: float = 1e-10
) -> FactorizationPath:
    r"""Gradient flow in the factors of :math:`X = UU^T` or :math:`UV^T`, loss :math:`\frac12\sum_i(\langle A_i,X\rangle-b_i)^2`.

    Parameters
    ----------
    measurements : array (m, d1, d2) or SciPy sparse array (m, d1 d2)
        The matrices A_i, or a sparse array of them row by row; ``completion_measurements`` makes those of matrix completion.
    b : array (m,)
    times : array (T,)
        Increasing flow times, none negative.
    start : array (d, r), or pair of arrays (d1, r), (d2, r)
        U, or (U, V), at time zero; small for a low-rank bias.
    symmetric : bool
        True for UU^T, False for UV^T.
    rtol : float
        Local tolerance of the integrator.

    Returns
    -------
    FactorizationPath

    Raises
    ------
    ValueError
        If a label has a sign that no UU^T can give, or the start is zero.
    ConvergenceError
        If the integrator stops before the last time.

    Notes
    -----
    Cost O(nnz + d1 d2 r) an evaluation, nnz being the entries of all A_i that are not zero. UV^T conserves :math:`U^TU - V^TV`.

    Examples
    --------
    >>> import numpy as np
    >>> seen = completion_measurements([0, 0], [0, 1], (2, 2))
    >>> path = matrix_flow(seen, [1.0, 1.0], [0.0, 60.0], start=1e-4 * np.eye(2))
    >>> path.matrices[-1].round(2)
    array([[1., 1.],
           [1., 1.]])
    """
    problem = _Problem(measurements, b, start, symmetric)
    times = check_times(times)
    states = integrate(problem.velocity, problem.first, times, rtol)
    return problem.path(times, states, np.array([problem.residual(state) for state in states]))


def matrix_descent(
    measurements: ArrayLike,
    b: ArrayLike,
    *,
    start: Any,
    step_size: float,
    n_steps: int,
    symmetric: bool = True,
    record_every: int = 1,
) -> FactorizationPath:
    r"""Gradient descent in the factors, recorded every ``record_every`` steps.

    Parameters
    ----------
    measurements, b, start, symmetric : as in ``matrix_flow``
    step_size : float
        In units of flow time.
    n_steps, record_every : int

    Returns
    -------
    FactorizationPath
        ``times`` are step numbers times ``step_size``; the start and the last step are always there.

    Raises
    ------
    ConvergenceError
        If the loss overflows or grows a millionfold.

    Examples
    --------
    >>> import numpy as np
    >>> seen = completion_measurements([0, 0], [0, 1], (2, 2))
    >>> run = matrix_descent(seen, [1.0, 1.0], start=1e-2 * np.eye(2), step_size=0.05, n_steps=2000, record_every=1000)
    >>> run.matrices.shape, bool(run.losses[-1] < 1e-12)
    ((3, 2, 2), True)
    """
    problem = _Problem(measurements, b, start, symmetric)
    step_size, n_steps = check_positive("step_size", step_size), check_count("n_steps", n_steps)
    record_every = check_count("record_every", record_every)

    def at(state: Array) -> tuple[Array, Array]:
        return state, problem.residual(state)

    def step(state: Array, residual: Array) -> tuple[Array, Array]:
        return at(state + step_size * problem.velocity(state, residual))

    def remedy() -> str:
        return "use matrix_flow or a smaller step_size: the bound is 2 over the sharpness of the loss"

    run = descend(at(problem.first), step, n_steps, labels=problem.b, step_size=step_size, remedy=remedy)
    kept = [(k, *point) for k, point in enumerate(run) if k % record_every == 0 or k == n_steps]
    steps, states, residuals = (np.array(column, dtype=np.float64) for column in zip(*kept, strict=True))
    return problem.path(step_size * steps, states, residuals)


def effective_rank(singular_values: ArrayLike) -> Array:
    r"""Effective rank: exp of the entropy of :math:`\sigma_i/\sum_j\sigma_j`, between 1 and the rank.

    Parameters
    ----------
    singular_values : array (..., r)
        Non-negative, not all zero.

    Returns
    -------
    array (...)

    Examples
    --------
    >>> effective_rank([[1.0, 0.0], [3.0, 3.0]])
    array([1., 2.])
    """
    values = check_points("singular_values", singular_values)
    total = values.sum(axis=-1, keepdims=True) if values.ndim else values
    if values.ndim == 0 or np.any(values < 0) or np.any(total == 0):
        raise ValueError(
            f"singular_values must be lists of non-negative numbers, not all zero, but {np.array2string(values, threshold=6)} "
            f"was given; pass np.linalg.svd(X, compute_uv=False)."
        )
    return np.asarray(np.exp(np.sum(entr(values / total), axis=-1)))


def completion_measurements(rows: ArrayLike, columns: ArrayLike, shape: tuple[int, int], *, sparse: bool = False) -> Any:
    """Measurement matrices that read single entries: shape (m, d1, d2), with a one at (rows[i], columns[i]).

    With ``sparse`` a SciPy sparse array of shape (m, d1 d2), for matrices so large that m dense ones do not fit in memory.

    Examples
    --------
    >>> completion_measurements([0, 1], [1, 1], (2, 2)).sum(axis=0)
    array([[0., 1.],
           [0., 1.]])
    """
    if not isinstance(shape, (tuple, list)) or len(shape) != 2:
        raise ValueError(f"shape must be a pair (d1, d2), but {shortened(shape)} was given; pass for instance shape=(3, 3).")
    d1, d2 = (check_count("shape", v) for v in shape)
    where = [check_points(name, v) for name, v in (("rows", rows), ("columns", columns))]
    bad = where[0].ndim != 1 or where[0].shape != where[1].shape
    bad = bad or any(np.any((v < 0) | (v >= d) | (v != np.round(v))) for v, d in zip(where, (d1, d2), strict=True))
    if bad:
        raise ValueError(
            f"rows and columns must be lists of equal length with indices below {d1} and {d2}, but {rows!r} and {columns!r} were "
            f"given; count from zero."
        )
    count = len(where[0])
    places = where[0].astype(int) * d2 + where[1].astype(int)
    if check_flag("sparse", sparse):
        return csr_array((np.ones(count), (np.arange(count), places)), shape=(count, d1 * d2))
    measurements = np.zeros((count, d1 * d2))
    measurements[np.arange(count), places] = 1.0
    return measurements.reshape(count, d1, d2)


class _Problem:
    """Checked data, the start, and the velocity of the factors; in a symmetric problem U stands for both."""

    def __init__(self, measurements: ArrayLike, b: ArrayLike, start: Any, symmetric: bool) -> None:
        b, self.symmetric = check_points("b", b), check_flag("symmetric", symmetric)
        A: Any
        if issparse(measurements):  # row by row; the start says how long a row is
            A = csr_array(measurements)
            check_points("measurements", A.data)
            first = np.shape(start if self.symmetric or not isinstance(start, (tuple, list)) else start[0])
            d1 = int(first[0]) if first and first[0] and A.shape[1] % first[0] == 0 else A.shape[1]
            shape: tuple[int, ...] = (A.shape[0], d1, A.shape[1] // d1)
        else:
            A = check_points("measurements", measurements)
            shape = A.shape
        if len(shape) != 3 or b.shape != shape[:1]:
            raise ValueError(
                f"measurements must have shape (m, d1, d2) with one entry of b for each, but shapes {shape} and {b.shape} were "
                f"given; pass matrices[None] for a single one, or completion_measurements(...)."
            )
        d1, d2 = self.shape = shape[1:]
        A = A.reshape(b.size, d1 * d2)
        dense = not issparse(A) and np.count_nonzero(A) > 0.1 * A.size
        self.A, self.b = A if dense else csr_array(A), b
        self.transposed = self.A.T if dense else csr_array(self.A.T)
        if self.symmetric:
            if d1 != d2:
                raise ValueError(
                    f"a symmetric factorisation needs square measurements, but they are {d1} by {d2}; pass symmetric=False."
                )
            self._refuse_negative()
        given = [start] if self.symmetric else start if isinstance(start, (tuple, list)) else []
        parts = [check_points("start", part) for part in given]
        shapes = self.shapes = [part.shape for part in parts]
        good = all(len(shape) == 2 for shape in shapes) and len({shape[-1] for shape in shapes}) == 1
        good = good and [shape[0] for shape in shapes] == ([d1] if self.symmetric else [d1, d2])
        if not good:
            want = f"U of shape ({d1}, r)" if self.symmetric else f"a pair (U, V) of shapes ({d1}, r) and ({d2}, r)"
            raise ValueError(f"start must be {want}, but shapes {shapes} were given; pass for instance 1e-3 * np.eye({d1}).")
        if not any(np.any(p) for p in parts):
            raise ValueError(
                f"start must not be zero, but every entry is 0, and zero factors never move; pass for instance "
                f"1e-3 * np.eye({d1})."
            )
        self.first, self.cut = np.concatenate([p.ravel() for p in parts]), parts[0].size
        with np.errstate(all="ignore"):
            loss = float(np.sum(self.residual(self.first) ** 2))
        if not loss < 1e200:
            raise ValueError(f"the loss at the start must be below 1e200, but it is {loss:.1e}; rescale the start or the labels.")

    def _refuse_negative(self) -> None:
        """A measurement by a semi-definite matrix has one sign on every UU^T."""
        entry = np.zeros(self.b.size, dtype=bool)
        if issparse(self.A):  # single entries off the diagonal have eigenvalues of both signs
            entry = np.diff(self.A.indptr) == 1
            i, j = np.unravel_index(self.A.indices[self.A.indptr[:-1][entry]], self.shape)
            entry[entry] = i != j
        for i in np.flatnonzero(~entry):
            value = self.b[i]
            row = slice(self.A.indptr[i], self.A.indptr[i + 1]) if issparse(self.A) else None
            if row is None:
                a = self.A[i].reshape(self.shape)
            else:  # only the rows and columns that it touches
                places, which = np.unique(np.unravel_index(self.A.indices[row], self.shape), return_inverse=True)
                a = np.zeros((max(places.size, 1),) * 2)
                a[tuple(which.reshape(2, -1))] = self.A.data[row]
            eigenvalues = np.linalg.eigvalsh(0.5 * (a + a.T))
            slack = 1e-12 * max(float(np.max(np.abs(eigenvalues))), np.finfo(float).tiny)
            if (value < 0 and eigenvalues[0] >= -slack) or (value > 0 and eigenvalues[-1] <= slack):
                raise ValueError(
                    f"U U^T must be able to fit every label, but b[{i}] = {value:.6g} has the wrong sign for a semi-definite "
                    f"measurement; pass symmetric=False."
                )

    def factors(self, state: Array) -> tuple[Array, Array]:
        u = state[: self.cut].reshape(self.shapes[0])
        return u, u if self.symmetric else state[self.cut :].reshape(self.shapes[1])

    def residual(self, state: Array) -> Array:
        u, v = self.factors(state)
        return self.b - self.A @ (u @ v.T).ravel()  # type: ignore[no-any-return]

    def velocity(self, state: Array, residual: Array | None = None) -> Array:
        u, v = self.factors(state)
        pull = (self.transposed @ (self.residual(state) if residual is None else residual)).reshape(self.shape)
        down, across = (pull @ v).ravel(), (pull.T @ u).ravel()
        return down + across if self.symmetric else np.concatenate([down, across])

    def path(self, times: Array, states: Array, residuals: Array) -> FactorizationPath:
        pairs = [self.factors(state) for state in states]
        left, right = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
        return FactorizationPath(times, left, right, 0.5 * np.sum(residuals**2, axis=1))
