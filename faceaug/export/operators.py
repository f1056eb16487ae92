"""Operators that torch's exporter has no translation for, in ONNX's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from onnxscript import BOOL, DOUBLE, INT64, script
from onnxscript import opset18 as op


@script()  # type: ignore[misc, untyped-decorator]
def _eliminated(system: DOUBLE[...], equations: INT64[1]) -> DOUBLE[...]:
    """Gauss-Jordan elimination of ``(N, n, n + m)`` with partial pivoting; rows stay where they are."""
    number = op.Reshape(op.Range(op.Constant(value_int=0), op.Squeeze(equations), op.Constant(value_int=1)), [1, -1, 1])
    first = op.Slice(system, [0], [1], [2])
    taken = op.Sub(first, first)
    for k in range(op.Squeeze(equations)):
        at = op.Reshape(k, [1])
        column = op.Gather(system, at, axis=2)
        best = op.ArgMax(op.Sub(op.Abs(column), taken), axis=1, keepdims=1)
        here = op.Equal(best, number)
        row = op.MatMul(op.Transpose(op.CastLike(here, system), perm=[0, 2, 1]), system)
        row = op.Div(row, op.Gather(row, at, axis=2))
        system = op.Where(here, row, op.Sub(system, op.Mul(column, row)))
        taken = op.Where(here, op.CastLike(op.Constant(value_float=3e38), system), taken)
    return system


def solve(a: DOUBLE[...], b: DOUBLE[...], left: bool = True) -> DOUBLE[...]:
    """:func:`torch.linalg.solve`: ``(N, n, n)`` and ``(N, n, m)`` to ``(N, n, m)``.

    As LAPACK, which torch calls, it divides by the largest number of each column, so that both round alike.
    """
    equations = op.Shape(a, start=1, end=2)
    done = _eliminated(op.Concat(a, b, axis=2), equations)
    # Where the matrix was there is a permutation now: row i solves for the unknown in whose column its 1 is.
    order = op.Slice(done, [0], equations, [2])
    return op.MatMul(op.Transpose(order, perm=[0, 2, 1]), op.Slice(done, equations, [2**62], [2]))


def isin(elements: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False) -> BOOL[...]:
    """:func:`torch.isin` of a list of numbers."""
    same = op.Cast(op.Equal(op.Unsqueeze(elements, [-1]), test_elements), to=6)
    return op.Cast(op.ReduceMax(same, [-1], keepdims=0), to=9)


TABLE: dict[Any, Callable[..., Any]] = {
    torch.ops.aten.linalg_solve.default: solve,
    torch.ops.aten.isin.Tensor_Tensor: isin,
}
"""What ``custom_translation_table`` takes."""
