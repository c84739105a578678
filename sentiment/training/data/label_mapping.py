"""Map the values of a label column to labels: "1-2=negative,3=neutral,4-5=positive"."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from sentiment.errors import ConfigError, DataError
from sentiment.training.data.tables import cell_text, number_of

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\s*-\s*(-?\d+(?:\.\d+)?)")
_SHOWN = 5  # values in a message


def parse(text: str | None) -> dict[str, str]:
    """Parse the mapping of an option's text: values, or inclusive ranges of numbers, each with its label.

    Raises ConfigError for a part without "=", for a value that occurs twice, and for ranges that overlap.
    """
    mapping: dict[str, str] = {}
    for part in text.split(",") if text is not None else ():
        value, equals, label = (cell_text(each, "") or "" for each in part.partition("="))
        if not equals or not value:
            raise ConfigError(
                f"--labels: {part.strip()!r} is not VALUE=LABEL, as in 1-2=negative,3=neutral,4-5=positive"
            )
        ends = _RANGE.fullmatch(value)
        if ends and float(ends[1]) > float(ends[2]):
            raise ConfigError(f"--labels: the range {value} ends before it begins; write {ends[2]}-{ends[1]}")
        if value in mapping:
            raise ConfigError(f"--labels: {value!r} is given two labels, {mapping[value]!r} and {label!r}")
        mapping[value] = label
    _check_overlap(mapping)
    return mapping


def _check_overlap(mapping: Mapping[str, str]) -> None:
    found = [(float(ends[1]), float(ends[2]), key) for key in mapping if (ends := _RANGE.fullmatch(key))]
    for (_, end, key), (start, _, other) in combinations(sorted(found), 2):
        if start < end and mapping[key] != mapping[other]:
            raise ConfigError(
                f"--labels: the ranges {key}={mapping[key]} and {other}={mapping[other]} overlap; let one end where "
                "the other begins"
            )


def apply(values: Sequence[str], mapping: Mapping[str, str], name: str) -> list[str | None]:
    """Return the label of each value; none where it is mapped to nothing: such a row is left out.

    A value as it is written comes before the same number and this before a range that holds it; where two ranges meet,
    the first has it.
    Raises DataError, naming the values that have no label.
    """
    found = {value: _label(value, mapping) for value in dict.fromkeys(values)}
    missing = sorted(value for value, label in found.items() if label is None)
    if missing:
        shown = ", ".join(f"{value!r:.60}" for value in missing[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
        raise DataError(
            f"{name}: --labels has no label for {shown}; name a label for each, or leave such rows out with "
            f"'{missing[0]:.60}='"
        )
    return [found[value] or None for value in values]


def _label(value: str, mapping: Mapping[str, str]) -> str | None:
    number = number_of(value)
    for key in (value, "" if number is None else f"{number:g}"):
        if key in mapping:
            return mapping[key]
    if number is not None:
        for key, label in mapping.items():
            ends = _RANGE.fullmatch(key)
            if ends and float(ends[1]) <= number <= float(ends[2]):
                return label
    return None
