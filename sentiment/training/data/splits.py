"""Read a recipe's files into training rows and dev sets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sentiment.errors import ConfigError, DataError, TextError
from sentiment.text.inputs import BLANK, checked_texts
from sentiment.training.data.dataset import (
    MIN_VALUES,
    LabelledTexts,
    check_learnable,
    check_names,
    check_spread,
    exclude_texts,
    plain,
    split,
    with_unique_names,
)
from sentiment.training.data.reading import read_labelled, read_soft_labelled, read_texts
from sentiment.training.data.report import DataReport, build_report
from sentiment.training.data.tables import is_blank
from sentiment.training.recipe import Recipe

_NO_ROW_LEFT = "no training row is left: the text of each is in the dev data, too; give --dev other files, or none"
_ALL_REPEATED = "every text is in several rows, of which one is held out to judge by; add rows with other texts"


@dataclass(frozen=True)
class Data:
    """The content of a recipe's files: training rows, dev sets, and the number of rows left out."""

    labels: tuple[str, ...]
    train: tuple[LabelledTexts, ...]
    dev: tuple[LabelledTexts, ...]
    repeats: tuple[int, ...]
    in_dev: int  # training rows dropped, as their text is in a dev set
    unlabelled: tuple[str, ...] = ()  # texts that are in none of the sets

    @cached_property
    def report(self) -> DataReport:
        """Return their description in figures."""
        return build_report(self.labels, self.train, self.dev, self.in_dev)


def read_data(recipe: Recipe) -> Data:
    """Return the recipe's data. Raises DataError for what can't be learned from."""
    if not recipe.train:
        raise ConfigError("train: a recipe names at least one file to learn from")
    gold = [source for source in recipe.train if not source.soft_labels]
    skipping: dict[str, Any] = {"skip_empty": recipe.skip_empty, "skip_bad_rows": recipe.skip_bad_rows}
    train = [read_labelled(source, task=recipe.task, **skipping) for source in gold]
    dev = [read_labelled(source, task=recipe.task, **skipping) for source in recipe.dev]
    regression = recipe.task == "regression"
    labels = () if regression else recipe.labels or check_learnable(train)
    check_names(labels, train)
    for part in () if regression else (*train, *dev):
        unknown = set(part.labels) - set(labels)
        if unknown:
            origin = next(part.origin(row) for row, label in enumerate(part.labels) if label in unknown)
            cure = "add training rows of each, or take such rows out here"
            raise DataError(f"{origin}: no training row has the label {_named(unknown)}; {cure}")
    learned = set() if regression else {label for part in train for label in part.labels}
    cross_validated = is_cross_validated(recipe, train)
    if not dev and not cross_validated:
        halves = [split(part, recipe.training.dev_share, recipe.training.seed) for part in train]
        train = [replace(kept, name=part.name) for part, (kept, _) in zip(train, halves, strict=True)]
        dev = [
            replace(out, name=f"split of {part.name}", skipped=0, unreadable=0)  # which the others count
            for part, (_, out) in zip(train, halves, strict=True)
        ]
    dev = with_unique_names(dev)
    soft = [source for source in recipe.train if source.soft_labels]
    train += [read_soft_labelled(source, labels, **skipping) for source in soft]
    repeats = [source.repeat for source in (*gold, *soft)]
    rows = sum(len(part.texts) for part in train)
    train = [exclude_texts(part, dev) for part in train]
    left = sum(len(part.texts) for part in train)
    if not left:
        raise DataError(_NO_ROW_LEFT if recipe.dev else _ALL_REPEATED)
    for part in train:
        if not part.texts:
            raise DataError(f"{part.name}: the text of each row is in the dev data, too; leave this file out")
    if regression:
        check_spread(train, dev)
    if cross_validated:
        _check_differing(train)
        return Data(labels, tuple(train), (), tuple(repeats), 0, _read_unlabelled(recipe, train))
    unjudged = (set(labels) if recipe.dev else learned).difference(*(part.labels for part in dev))
    if unjudged:
        cure = "leave the dev data out to have a share of the rows held out" if recipe.dev else "name dev data"
        raise DataError(f"no dev row has the label {_named(unjudged)}, which is learned; add rows of each, or {cure}")
    _check_labels_left(learned, train)
    dropped = rows - left
    unlabelled = _read_unlabelled(recipe, [*train, *dev])
    return Data(labels, tuple(train), tuple(dev), tuple(repeats), dropped, unlabelled)


def _read_unlabelled(recipe: Recipe, sets: Sequence[LabelledTexts]) -> tuple[str, ...]:
    """Return the distinct texts without labels that are in none of the sets."""
    labelled = {plain(text) for part in sets for text in part.texts}
    texts = [text for source in recipe.unlabelled for text in read_texts(source, skip_bad_rows=recipe.skip_bad_rows)]
    return tuple(text for text in dict.fromkeys(texts) if plain(text) not in labelled)


def is_cross_validated(recipe: Recipe, train: Sequence[LabelledTexts]) -> bool:
    """Return whether cross-validation judges the training on these rows: a share of a small table would be too few."""
    rows = sum(len(part.texts) for part in train)
    soft = any(source.soft_labels for source in recipe.train)
    return not recipe.dev and not soft and MIN_VALUES <= rows <= recipe.training.cross_validated_rows


def _check_differing(train: Sequence[LabelledTexts]) -> None:
    """Raise DataError where too few texts differ to hold some out."""
    if len({plain(text) for part in train for text in part.texts}) < MIN_VALUES:
        raise DataError(_ALL_REPEATED)


def data_in_memory(recipe: Recipe, rows: LabelledTexts, dev: LabelledTexts | None = None) -> Data:
    """Return the recipe's data where the rows, and those that judge if they are others, are at hand.

    Raises DataError for what can't be learned from, TextError for a text that can't be read.
    """
    for part in [rows] if dev is None else [rows, dev]:
        for index, text in enumerate(checked_texts(part.texts)):
            if is_blank(text):
                raise TextError(index, BLANK)
    labels = check_learnable([rows])
    check_names(labels, [rows])
    if dev is not None:
        return _data_with_dev(recipe.labels or labels, rows, dev)
    if is_cross_validated(recipe, [rows]):
        _check_differing([rows])
        return Data(recipe.labels or labels, (rows,), (), (1,), 0)
    kept, held_out = split(rows, recipe.training.dev_share, recipe.training.seed)
    learned = exclude_texts(replace(kept, name=rows.name), [held_out])
    if not learned.texts:
        raise DataError(f"{rows.name}: {_ALL_REPEATED}")
    _check_labels_left(labels, [learned])
    dropped = len(kept.texts) - len(learned.texts)
    dev = replace(held_out, name=f"split of {rows.name}")
    return Data(recipe.labels or labels, (learned,), (dev,), (1,), dropped)


def _data_with_dev(labels: tuple[str, ...], rows: LabelledTexts, dev: LabelledTexts) -> Data:
    """Return data of rows to learn from and rows to judge by. Raises DataError where the labels are not the same."""
    differing = set(labels) ^ set(dev.labels)
    if differing:
        raise DataError(f"{dev.name}: the label {_named(differing)} is not in both: rows of each label learn and judge")
    learned = exclude_texts(rows, [dev])
    if not learned.texts:
        raise DataError(f"{rows.name}: the text of each row is in {dev.name}, too; give other rows to judge by")
    _check_labels_left(labels, [learned])
    return Data(labels, (learned,), (dev,), (1,), len(rows.texts) - len(learned.texts))


def _check_labels_left(labels: Collection[str], train: Sequence[LabelledTexts]) -> None:
    """Raise DataError for a label that no training row has any more."""
    untaught = set(labels).difference(*(part.labels for part in train))
    if untaught:
        cure = "its texts are all among the rows that judge; add others"
        raise DataError(f"no training row is left with the label {_named(untaught)}: {cure}")


def _named(labels: Collection[str]) -> str:
    return " or ".join(f"{label!r:.60}" for label in sorted(labels))
