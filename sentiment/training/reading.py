"""Labelled files to texts and labels, refused in words where they can't be learned from."""

from collections.abc import Sequence

import polars as pl

from sentiment.config import Task
from sentiment.errors import DataError
from sentiment.storage.formats import base_name
from sentiment.training.dataset import LabelledTexts
from sentiment.training.label_mapping import apply
from sentiment.training.recipe import Source
from sentiment.training.tables import read_tables

MAX_NUMBERED_CLASSES = 20  # of a column of numbers with a point: more of them are measurements
STATES = "states"  # the column of what a teacher made of each token: see states.py
_SHOWN = 5  # row numbers in a message
_TEXT_OPTION = "; --text-column names another"
_LABEL_OPTION = "; --label-column names another"


def read_labelled(
    source: Source, *, skip_empty: bool = False, columns: Sequence[str] = (), task: Task = "classification"
) -> LabelledTexts:
    """The rows of a source, in its order; numbers as labels become text, and so does what other `columns` hold.

    Raises DataError for a file or column that isn't there, a suffix not known, labels of fractions unless the `task` is
    regression, then labels that are no numbers, a label that the source's mapping leaves out, rows without a label, and
    rows without text unless they are to be skipped.
    """
    named = {source.text_column: _TEXT_OPTION, source.label_column: _LABEL_OPTION}
    others = dict.fromkeys((*source.where, *columns), "")
    parts, rows, matching = [], 0, 0
    for name, frame in read_tables(source.path, others | named):
        rows += frame.height
        for column in (*source.where, *columns):
            if frame[column].dtype.is_nested():
                raise DataError(f"{name}: column {column!r} holds {frame[column].dtype}, not a value a row")
        for column, value in source.where.items():
            frame = frame.filter(pl.col(column).cast(pl.String) == value)
        matching += frame.height
        parts.append(_labelled(name, frame, source, skip_empty, columns, task))
    found = _joined(source, parts)
    if not found.texts:
        if not rows:
            reason = "there are no rows, only the names of columns"
        elif not matching:
            wanted = " and ".join(f"{column} {value!r}" for column, value in source.where.items())
            reason = f"no row is left: none has {wanted}"
        elif found.skipped == matching:
            reason = "there is no row with text"
        else:
            reason = "no row is left: --labels leaves out what each of them holds"
        raise DataError(f"{source.path}: {reason}")
    return found


def _labelled(
    name: str, frame: pl.DataFrame, source: Source, skip_empty: bool, columns: Sequence[str], task: Task
) -> LabelledTexts:
    texts, labels = _texts(name, frame, source), frame[source.label_column]
    values = _numbers(name, labels) if task == "regression" else None
    labels = _names(name, labels, mapped=bool(source.label_mapping)) if values is None else values.cast(pl.String)
    empty = texts.is_null() | (texts.str.strip_chars() == "")
    unlabelled = labels.is_null() | labels.str.to_lowercase().is_in(["", "nan"])
    if skip_empty:
        unlabelled &= ~empty
    if unlabelled.any():
        them = "it" if unlabelled.sum() == 1 else "them"
        raise DataError(f"{name}: no label in {_rows(unlabelled)}; give {them} one or remove {them}")
    if empty.any() and not skip_empty:
        them = "it" if empty.sum() == 1 else "them"
        raise DataError(f"{name}: no text in {_rows(empty)}; remove {them} or leave {them} out with --skip-empty")
    others = {column: frame[column].cast(pl.String).fill_null("").filter(~empty) for column in columns}
    texts, labels = texts.filter(~empty), labels.filter(~empty)
    if source.label_mapping:
        labels = pl.Series(apply(labels.to_list(), source.label_mapping, name), dtype=pl.String)
    kept = labels.is_not_null()
    return LabelledTexts(
        name,
        texts.filter(kept).to_list(),
        labels.filter(kept).to_list(),
        int(empty.sum()),
        values=None if values is None else values.filter(~empty).to_list(),
        columns={column: other.filter(kept).to_list() for column, other in others.items()},
    )


def _joined(source: Source, parts: Sequence[LabelledTexts]) -> LabelledTexts:
    return LabelledTexts(
        base_name(source.path),
        [text for part in parts for text in part.texts],
        [label for part in parts for label in part.labels],
        sum(part.skipped for part in parts),
        [row for part in parts for row in part.probabilities or ()] if parts[0].probabilities is not None else None,
        values=[value for part in parts for value in part.values or ()] if parts[0].values is not None else None,
        states=[row for part in parts for row in part.states or [None] * len(part.texts)]
        if any(part.states is not None for part in parts)
        else None,
        columns={column: [value for part in parts for value in part.columns[column]] for column in parts[0].columns},
    )


def _texts(name: str, frame: pl.DataFrame, source: Source) -> pl.Series:
    texts = frame[source.text_column]
    if texts.dtype == pl.Null:  # of a file without rows, or whose cells are all empty
        texts = texts.cast(pl.String)
    if texts.dtype != pl.String:
        raise DataError(f"{name}: column {source.text_column!r} holds {texts.dtype}, not text{_TEXT_OPTION}")
    return texts


def _names(name: str, labels: pl.Series, *, mapped: bool) -> pl.Series:
    """The labels as text: 1.0 is 1. Raises DataError for measurements, unless they are to be mapped."""
    if labels.dtype.is_nested() or labels.dtype == pl.Binary:
        raise DataError(f"{name}: column {labels.name!r} holds {labels.dtype}, not a label a row{_LABEL_OPTION}")
    if labels.dtype.is_float():
        known = labels.drop_nulls()
        whole = bool((known == known.round()).all())
        if not mapped and (not whole or known.n_unique() > MAX_NUMBERED_CLASSES):
            raise DataError(
                f"{name}: column {labels.name!r} holds {'many numbers' if whole else 'fractions'} ({labels.dtype}); "
                "labels are names: give ranges of them names with --labels '1-2=negative,3=neutral,4-5=positive', or "
                "learn the number itself with `sentiment train --task regression`"
            )
        if whole:
            labels = labels.cast(pl.Int64, strict=False)
    return labels.cast(pl.String).str.strip_chars()


def _numbers(name: str, labels: pl.Series) -> pl.Series:
    """The labels as numbers, none for none. Raises DataError for what is not a finite number."""
    if labels.dtype == pl.String:
        labels = labels.str.strip_chars()
    elif not labels.dtype.is_numeric():
        raise DataError(f"{name}: column {labels.name!r} holds {labels.dtype}, not numbers")
    values = labels.cast(pl.Float64, strict=False)
    given = labels.is_not_null() & (labels.cast(pl.String) != "")
    wrong = given & ~values.is_finite().fill_null(False)
    if wrong.any():
        first = labels.filter(wrong)[0]
        raise DataError(
            f"{name}: no number but {first!r:.40} in column {labels.name!r} in {_rows(wrong)}; mend or remove "
            f"{'it' if wrong.sum() == 1 else 'them'}, or learn names without --task regression"
        )
    return values


def read_soft_labelled(source: Source, labels: Sequence[str]) -> LabelledTexts:
    """The rows of a source whose columns, named like the labels, hold a teacher's probabilities, with its states.

    These are there where the file has such a column of bytes. Raises DataError for a column that isn't there or doesn't
    hold numbers.
    """
    named = dict.fromkeys(labels, ", and soft labels take a column of each label") | {source.text_column: _TEXT_OPTION}
    parts = []
    for name, frame in read_tables(source.path, named):
        for label in labels:
            if not frame[label].dtype.is_numeric() or frame[label].is_null().any():
                raise DataError(f"{name}: column {label!r} does not hold a probability in every row")
        rows = frame.select(labels).to_dicts()
        best = [max(row, key=row.__getitem__) for row in rows]
        states = frame[STATES].to_list() if STATES in frame.columns and frame[STATES].dtype == pl.Binary else None
        parts.append(
            LabelledTexts(name, _texts(name, frame, source).to_list(), best, probabilities=rows, states=states)
        )
    return _joined(source, parts)


def read_texts(source: Source) -> list[str]:
    """The distinct texts of a source, in its order; rows without one are left out.

    Raises DataError for a file or column that isn't there, or holds no text.
    """
    tables = read_tables(source.path, {source.text_column: _TEXT_OPTION})
    texts = [text for name, frame in tables for text in _texts(name, frame, source).drop_nulls().to_list()]
    return [text for text in dict.fromkeys(texts) if text.strip()]


def _rows(mask: pl.Series) -> str:
    numbers = [row + 1 for row in mask.arg_true().to_list()]
    if len(numbers) == 1:
        return f"row {numbers[0]} (counted from 1)"
    shown = ", ".join(map(str, numbers[:_SHOWN])) + (", …" if len(numbers) > _SHOWN else "")
    return f"{len(numbers):,} rows ({shown}, counted from 1)"
