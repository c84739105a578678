"""Read labelled files into texts and labels; refuse with a reason what can't be learned from."""

from collections.abc import Sequence
from typing import NamedTuple

from sentiment.config import Task
from sentiment.errors import DataError
from sentiment.scoring.formats.rows import Values
from sentiment.storage.formats import base_name
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.label_mapping import apply
from sentiment.training.data.tables import BadRowError, Rows, cell_text, number_of, read_rows
from sentiment.training.recipe import Source

MAX_NUMBERED_CLASSES = 20  # of a column of numbers with a point: more of them are measurements
STATES = "states"  # the column of what a teacher made of each token: see states.py


class _Cells(NamedTuple):
    label: str
    value: float | None  # the label as the number to learn
    has_point: bool  # whether it is a number with one, whatever follows it
    others: list[str]


def read_labelled(
    source: Source,
    *,
    skip_empty: bool = False,
    skip_bad_rows: bool = False,
    columns: Sequence[str] = (),
    task: Task = "classification",
) -> LabelledTexts:
    """Return the rows of a source, in its order, their labels and what other `columns` hold as `cell_text` has it.

    Raises DataError as `read_rows` does, for labels of fractions unless the `task` is regression, and for a label that
    the source's mapping leaves out. A row without a label is a bad one, and in a regression one without a number.
    """

    def parse(values: Values) -> _Cells:
        raw = values.get(source.label_column)
        label = cell_text(raw, source.label_column)
        if label is None or label.lower() == "nan":
            raise BadRowError("has no label")
        value = number_of(raw) if task == "regression" else None
        if task == "regression" and value is None:
            raise BadRowError(f"holds {label!r:.60} in column {source.label_column!r}, not a number")
        has_point = isinstance(raw, float) or "." in label
        return _Cells(label, value, has_point, [cell_text(values.get(each), each) or "" for each in columns])

    options = dict.fromkeys(columns, "") | {source.label_column: "--label-column"}
    rows = read_rows(source, options, parse, skip_empty=skip_empty, skip_bad_rows=skip_bad_rows)
    labels: list[str | None] = [cells.label for cells in rows.cells]
    if source.label_mapping:
        labels = apply([cells.label for cells in rows.cells], source.label_mapping, source.path)
    elif task == "classification":
        _refuse_numbers(rows)
    kept = [index for index, label in enumerate(labels) if label is not None]
    if not kept:
        raise DataError(f"{source.path}: {_missing_reason(source, rows)}")
    cells = [rows.cells[index] for index in kept]
    return LabelledTexts(
        base_name(source.path),
        [rows.texts[index] for index in kept],
        [label for label in labels if label is not None],
        rows.empty,
        values=[each.value for each in cells if each.value is not None] if task == "regression" else None,
        columns={column: [each.others[index] for each in cells] for index, column in enumerate(columns)},
        origins=[rows.origins[index] for index in kept],
        unreadable=rows.bad,
    )


def _refuse_numbers(rows: Rows[_Cells]) -> None:
    """Raise DataError if all labels are numbers, and some have a fraction or many a point."""
    numbers = {cells.label: number_of(cells.label) for cells in rows.cells}
    if None in numbers.values():
        return
    fraction = next((label for label, number in numbers.items() if number and number % 1), None)
    if fraction is None and (len(numbers) <= MAX_NUMBERED_CLASSES or not any(cells.has_point for cells in rows.cells)):
        return
    index = next(index for index, cells in enumerate(rows.cells) if fraction in (None, cells.label))
    kind = "one of many numbers" if fraction is None else "a fraction"
    raise DataError(
        f"{rows.origins[index]}: the label {rows.cells[index].label!r:.60} is {kind}; labels are names: give ranges of "
        "them names with --labels '1-2=negative,3=neutral,4-5=positive', or learn the number itself with `sentiment "
        "train --task regression`"
    )


def _missing_reason(source: Source, rows: Rows[_Cells]) -> str:
    if not rows.read:
        return "there are no rows"
    if rows.others == rows.read:
        wanted = " and ".join(f"{column} {value!r}" for column, value in source.where.items())
        return f"no row is left: none has {wanted}"
    if rows.empty + rows.others == rows.read:
        return "there is no row with text"
    if rows.texts:
        return "no row is left: --labels leaves out what each of them holds"
    return "no row is left: none can be read and has text and a label"


def read_soft_labelled(
    source: Source, labels: Sequence[str], *, skip_empty: bool = False, skip_bad_rows: bool = False
) -> LabelledTexts:
    """Return the rows of a source whose columns, named like the labels, hold a teacher's probabilities.

    The states that it made are with them where the file has such a column of bytes. Raises DataError as `read_rows`
    does; a row without a probability of each label is a bad one.
    """

    def parse(values: Values) -> tuple[dict[str, float], bytes | None]:
        shares = {label: number_of(values.get(label)) for label in labels}
        missing = next((label for label, share in shares.items() if share is None), None)
        if missing is not None:
            raise BadRowError(f"holds no probability in column {missing!r}, and soft labels take one of each label")
        states = values.get(STATES)
        found = {label: share for label, share in shares.items() if share is not None}
        return found, states if isinstance(states, bytes) else None

    rows = read_rows(
        source,
        dict.fromkeys(labels, ""),
        parse,
        optional=[STATES],
        skip_empty=skip_empty,
        skip_bad_rows=skip_bad_rows,
    )
    probabilities = [shares for shares, _ in rows.cells]
    states = [each for _, each in rows.cells]
    return LabelledTexts(
        base_name(source.path),
        rows.texts,
        [max(shares, key=shares.__getitem__) for shares in probabilities],
        rows.empty,
        probabilities,
        states if any(each is not None for each in states) else None,
        origins=rows.origins,
        unreadable=rows.bad,
    )


def read_texts(source: Source, *, skip_bad_rows: bool = False) -> list[str]:
    """Return the distinct texts of a source, in its order; rows without one are left out.

    Raises DataError as `read_rows` does.
    """
    rows = read_rows(source, {}, lambda values: None, skip_empty=True, skip_bad_rows=skip_bad_rows)
    return list(dict.fromkeys(rows.texts))
