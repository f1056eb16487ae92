"""Which rows of a set a user wants to see: by names, classes, agreement, and conditions on any column."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from faceaug.arrays import IntArray
from faceaug.errors import ConfigError
from faceaug.shards.columns import TEXT, kind_of
from faceaug.shards.reader import ShardReader

_AT_ONCE = 512
"""Label maps that are in memory at a time."""

_COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
_CONTAINS = "~"
_CONDITION = re.compile(r"\s*([\w.-]+)\s*(!=|<=|>=|=|<|>|~)\s*(.*?)\s*")

Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Condition:
    """A condition on a column.

    Attributes:
        column: its name.
        comparison: ``= != < <= > >=``, or ``~`` for a text that contains another, in any case.
        value: as it was written.
    """

    column: str
    comparison: str
    value: str

    def __str__(self) -> str:
        return f"{self.column} {self.comparison} {self.value}"

    def holds(self, values: npt.NDArray[Any]) -> Rows:
        """Where a column's values fulfil it; unknown numbers (NaN) fulfil none.

        Raises:
            ConfigError: texts and numbers are compared, or the column has several values a row.
        """
        if values.ndim > 1:
            raise ConfigError(f"condition {self}: {self.column} has several values a row and cannot be compared")
        return self._of_texts(values) if kind_of(values) == TEXT else self._of_numbers(values)

    def _of_texts(self, values: npt.NDArray[Any]) -> Rows:
        texts = [str(value) for value in values]
        if self.comparison == _CONTAINS:
            return np.array([self.value.casefold() in text.casefold() for text in texts], dtype=bool)
        if self.comparison not in ("=", "!="):
            raise ConfigError(f"condition {self}: {self.column} is text; use =, != or ~ (contains)")
        return np.array([(text == self.value) == (self.comparison == "=") for text in texts], dtype=bool)

    def _of_numbers(self, values: npt.NDArray[Any]) -> Rows:
        if self.comparison == _CONTAINS:
            raise ConfigError(f"condition {self}: {self.column} is a number; use one of {' '.join(_COMPARISONS)}")
        is_float = values.dtype.kind == "f"
        try:
            number = int(self.value) if self.value.lstrip("+-").isdecimal() else float(self.value)
        except ValueError as error:
            raise ConfigError(f"condition {self}: {self.column} is a number, {self.value!r} is none") from error
        if number != number:
            raise ConfigError(f"condition {self}: nothing is compared with an unknown number; write a number")
        # 0.8 is not 0.8 of 32 bits; and whole numbers are compared as such, since seeds are larger than floats can tell apart.
        compared = _COMPARISONS[self.comparison](values, values.dtype.type(number) if is_float else number)
        return np.asarray(compared & ~np.isnan(values) if is_float else compared, dtype=bool)


def parse_conditions(text: str) -> tuple[Condition, ...]:
    """Conditions with commas between them, ``ita > 20, params ~ smile``.

    Raises:
        ConfigError: one of them is none.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        match = _CONDITION.fullmatch(part)
        if match is None:
            raise ConfigError(f"condition {part!r}: unknown; write for example agreement >= 0.8, source ~ anna")
        found.append(Condition(*match.groups()))
    return tuple(found)


@dataclass(frozen=True)
class Wanted:
    """What is wanted of a row; all of it.

    Attributes:
        target: its target's name contains this, in any case.
        source: likewise.
        classes: labels that its mask has, each of them.
        agreement: lowest and highest; None where there is no bound. Unmeasured agreements have neither.
        conditions: on columns.
    """

    target: str = ""
    source: str = ""
    classes: tuple[int, ...] = ()
    agreement: tuple[float | None, float | None] = (None, None)
    conditions: tuple[Condition, ...] = ()

    @property
    def all_conditions(self) -> tuple[Condition, ...]:
        """Everything but the classes, as conditions."""
        names = [Condition(name, _CONTAINS, value) for name, value in (("target", self.target), ("source", self.source)) if value]
        bounds = zip((">=", "<="), self.agreement, strict=True)
        return (
            *names,
            *(Condition("agreement", sign, repr(value)) for sign, value in bounds if value is not None),
            *self.conditions,
        )


class RowFinder:
    """Finds rows of a set; columns, and which classes masks have, are read once.

    Args:
        reader: of the set.
    """

    def __init__(self, reader: ShardReader) -> None:
        self.reader = reader
        self._columns: dict[str, npt.NDArray[Any]] = {}
        self._held = np.zeros((len(reader), len(reader.scheme)), dtype=bool)
        self._looked = np.zeros(len(reader), dtype=bool)

    def find(self, wanted: Wanted) -> IntArray:
        """Ascending row numbers.

        Raises:
            ConfigError: a condition on a column that is not there, or that cannot be compared so; or a class that is not.
            ShardDamaged: a shard cannot be read.
        """
        fits = np.ones(len(self.reader), dtype=bool)
        for condition in wanted.all_conditions:
            fits &= condition.holds(self._column(condition))
        rows: IntArray = np.flatnonzero(fits)
        return rows[self._having(rows, wanted.classes)] if wanted.classes else rows

    def _column(self, condition: Condition) -> npt.NDArray[Any]:
        name = condition.column
        if name not in self.reader.columns:
            raise ConfigError(f"condition {condition}: no such column; there are {', '.join(self.reader.columns)}")
        if name not in self._columns:
            self._columns[name] = self.reader.column(name)
        return self._columns[name]

    def _having(self, rows: IntArray, classes: Sequence[int]) -> Rows:
        """Which of some rows have all of some classes."""
        count = len(self.reader.scheme)
        wrong = next((label for label in classes if not 0 <= label < count), None)
        if wrong is not None:
            raise ConfigError(f"class {wrong}: {self.reader.scheme.name} has 0 to {count - 1}")
        unseen = rows[~self._looked[rows]]
        for start in range(0, len(unseen), _AT_ONCE):
            some = unseen[start : start + _AT_ONCE]
            for row, labels in zip(some, self.reader.rows("label", some), strict=True):
                self._held[row] = np.bincount(labels.ravel(), minlength=256)[:count] > 0
            self._looked[some] = True
        return np.asarray(self._held[rows][:, list(classes)].all(axis=1), dtype=bool)
