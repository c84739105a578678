"""Read texts from a data frame of pandas or Polars, and add columns to it, without importing either.

Whoever has such a frame has imported its library.
"""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentiment.errors import ConfigError, DataError


@dataclass(frozen=True, slots=True)
class Column:
    """A column to add: the type of its values, and how to get one from a row's answer."""

    kind: type
    value: Callable[[Any], object]


def texts_of(frame: Any, text: str, added: Collection[str]) -> Any:
    """Return a frame's column `text`.

    Raises DataError for what is no frame or lacks the column, ConfigError for a frame that has one of the names to add.
    """
    if _is_of("polars", "LazyFrame", frame):
        raise DataError("the frame is a LazyFrame; pass frame.collect()")
    if not _is_of("pandas", "DataFrame", frame) and not _is_of("polars", "DataFrame", frame):
        kind = type(frame).__name__
        raise DataError(f"the frame is a DataFrame of pandas or Polars, not {kind}; `predict` takes a list of texts")
    names = list(frame.columns)
    if text not in names:
        found = ", ".join(map(str, names))
        raise DataError(f'the frame has no column {text!r:.60}, but {found:.200}; name one, as in text="{names[0]}"')
    taken = [name for name in added if name in names]
    if taken:
        raise ConfigError(
            f"the frame already has a column {taken[0]!r:.60}; give the new ones another name, as in "
            'prefix="predicted_"'
        )
    return frame[text]


def with_columns(frame: Any, columns: Mapping[str, Column], answers: Sequence[Any]) -> Any:
    """Return the frame with these columns of the rows' answers; a row that is answered None has missing values."""
    values = {
        name: [None if answer is None else column.value(answer) for answer in answers]
        for name, column in columns.items()
    }
    dtypes: dict[type, Any]
    if not _is_of("pandas", "DataFrame", frame):
        polars = sys.modules["polars"]
        dtypes = {str: polars.String, float: polars.Float64, int: polars.Int64, bool: polars.Boolean}
        return frame.with_columns(
            [polars.Series(name, values[name], dtypes[column.kind]) for name, column in columns.items()]
        )
    dtypes = {str: object, float: "float64", int: "int64", bool: "bool"}
    if None in answers:
        dtypes |= {int: "Int64", bool: "boolean"}  # NumPy's have no missing value
    make = sys.modules["pandas"].Series
    series = {
        name: make(values[name], index=frame.index, dtype=dtypes[column.kind]) for name, column in columns.items()
    }
    return frame.assign(**{name: each.infer_objects() for name, each in series.items()})


def _is_of(library: str, name: str, frame: object) -> bool:
    return library in sys.modules and isinstance(frame, getattr(sys.modules[library], name))
