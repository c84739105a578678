"""Report the results of `benchmarks.own_rows` as a table, and the bars that they are held against, in Markdown."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.own_rows_sets import SETS

WAYS = ("majority", "linear", "nothing", "chosen", "start")

POINT = 0.01
LEAD = 3 * POINT  # over the linear model, on the mean of the English classification sets
LOSS = POINT / 2  # against the untouched start, at most
MAX_ECE = 0.05
MIN_ROWS_FROM_START, MIN_ROWS_FROM_NOTHING = 200, 1000  # from which no network may be behind the linear model
SETS_BEHIND = 1  # from nothing, at most
WRONG_SHARE = 0.1  # of the trainings that say which model to use, at most

Margins = Iterator[tuple[str, float]]  # of each place


@dataclass(frozen=True)
class Result:
    """The figures of one way on one subset of a set; `comparison` is what the trained model's folder says of it."""

    set: str
    size: int  # asked for
    rows: int  # drawn
    subset: int
    way: str
    judged_rows: int
    figures: dict[str, float]
    seconds: float  # until it could answer
    total_seconds: float  # until it was judged
    comparison: dict[str, Any] | None = None

    @property
    def score(self) -> float:
        """Return the figure that decides which of two models is better."""
        return self.figures["accuracy" if SETS[self.set].task == "classification" else "pearson_r"]

    @property
    def says_ece_is_unknown(self) -> bool:
        """Return whether the training found too few rows to state it."""
        return self.comparison is not None and self.comparison["candidates"]["model"]["ece"] is None

    @property
    def line(self) -> str:
        """Return it in a line."""
        figures = ", ".join(f"{name} {value:.3f}" for name, value in self.figures.items())
        return f"{self.set}, {self.rows:,} rows, subset {self.subset}, {self.way}: {figures}, {self.seconds:.1f} s"


@dataclass(frozen=True)
class Bar:
    """A requirement and its margin at each place, negative where it is missed."""

    name: str
    margins: dict[str, float]
    allowed_misses: int = 0

    @property
    def line(self) -> str:
        """Return its row of the table."""
        if not self.margins:
            return f"| {self.name} | not measured | | | |"
        margins = {place: round(margin / POINT, 6) for place, margin in self.margins.items()}
        missed = [f"{place} {margin:+.1f}" for place, margin in margins.items() if margin < 0]
        closest = min(margins, key=margins.__getitem__)
        verdict = "held" if len(missed) <= self.allowed_misses else "**missed**"
        return (
            f"| {self.name} | {verdict} | {1 - len(missed) / len(margins):.0%} of {len(margins)} "
            f"| {closest} {margins[closest]:+.1f} | {', '.join(missed)} |"
        )


@dataclass(frozen=True)
class Cell:
    """The results of a set at a size: those of each way, by subset."""

    set: str
    size: int
    ways: dict[str, dict[int, Result]]

    @property
    def rows(self) -> int:
        """Return how many rows were drawn."""
        return next(each.rows for results in self.ways.values() for each in results.values())

    @property
    def place(self) -> str:
        """Return its name in a table of bars."""
        return f"{self.set} {self.rows:,}"

    def lead(self, way: str, other: str) -> float | None:
        """Return how far a way's score is above another's, on the mean of the subsets that have both."""
        mine, others = self.ways.get(way, {}), self.ways.get(other, {})
        both = mine.keys() & others.keys()
        return fmean(mine[subset].score - others[subset].score for subset in both) if both else None


def read_results(folder: Path) -> list[Result]:
    """Return the results that are there."""
    return [Result(**json.loads(path.read_text())) for path in sorted(folder.glob("*.json"))]


def report(results: Sequence[Result]) -> str:
    """Return the table of figures, the time of the whole, and the bars, in Markdown."""
    cells = cells_of(results)
    seconds = sum(each.total_seconds for each in results)
    return "\n".join(
        [
            f"| set | rows | {' | '.join(WAYS)} |",
            f"| --- | ---: | {' | '.join('---:' for _ in WAYS)} |",
            *(f"| {cell.set} | {cell.rows:,} | {' | '.join(_figures(cell, way) for way in WAYS)} |" for cell in cells),
            "",
            f"{len(results):,} results; the whole took {seconds // 3600:.0f} h {seconds % 3600 / 60:.0f} min.",
            "",
            "| bar | | | closest, in points | missed, in points |",
            "| --- | --- | --- | --- | --- |",
            *(bar.line for bar in bars(cells)),
            "",
        ]
    )


def cells_of(results: Sequence[Result]) -> list[Cell]:
    """Return the results by set and size, in the order of the sets."""
    found: dict[tuple[str, int], Cell] = {}
    for each in sorted(results, key=lambda each: (list(SETS).index(each.set), each.size)):
        cell = found.setdefault((each.set, each.size), Cell(each.set, each.size, {}))
        cell.ways.setdefault(each.way, {})[each.subset] = each
    return list(found.values())


def _figures(cell: Cell, way: str) -> str:
    results = list(cell.ways.get(way, {}).values())
    if not results:
        return ""
    means = [fmean(each.figures[name] for each in results) for name in results[0].figures]
    shown = " / ".join(
        f"{100 * mean:.1f}" if SETS[cell.set].task == "classification" else f"{mean:.3f}" for mean in means
    )
    return f"{shown}, {fmean(each.seconds for each in results):.0f} s"


def bars(cells: Sequence[Cell]) -> list[Bar]:
    """Return what must be seen of the means over the subsets. Scores are accuracies, or Pearson's r."""
    sentences = dict(_sentences(cells))
    return [
        Bar("chosen at least linear", dict(_chosen_over_linear(cells))),
        Bar("chosen 3 points over linear, mean of the English classification sets", dict(_english_lead(cells))),
        Bar("chosen at most half a point under the start", dict(_chosen_over_start(cells))),
        Bar("ECE of chosen at most 5 %, or said to be unknown", dict(_calibration(cells))),
        Bar("from nothing at least linear", dict(_nothing_over_linear(cells)), SETS_BEHIND),
        Bar("the model to use is said rightly", sentences, int(WRONG_SHARE * len(sentences))),
    ]


def _chosen_over_linear(cells: Sequence[Cell]) -> Margins:
    for cell in cells:
        least = MIN_ROWS_FROM_START if SETS[cell.set].language == "en" else MIN_ROWS_FROM_NOTHING
        lead = cell.lead("chosen", "linear")
        if lead is not None and cell.rows >= least:
            yield cell.place, lead


def _english_lead(cells: Sequence[Cell]) -> Margins:
    english = {name for name, own in SETS.items() if own.language == "en" and own.task == "classification"}
    for size in sorted({cell.size for cell in cells if cell.size >= MIN_ROWS_FROM_START}):
        leads = {cell.set: cell.lead("chosen", "linear") for cell in cells if cell.size == size and cell.set in english}
        known = [lead for lead in leads.values() if lead is not None]
        if len(known) == len(english):
            yield f"{size:,}", fmean(known) - LEAD


def _chosen_over_start(cells: Sequence[Cell]) -> Margins:
    for cell in cells:
        lead = cell.lead("chosen", "start")
        if lead is not None:
            yield cell.place, lead + LOSS


def _calibration(cells: Sequence[Cell]) -> Margins:
    for cell in cells:
        stated = [
            each.figures["ece"]
            for each in cell.ways.get("chosen", {}).values()
            if "ece" in each.figures and not each.says_ece_is_unknown
        ]
        if stated and cell.rows >= MIN_ROWS_FROM_START:
            yield cell.place, MAX_ECE - fmean(stated)


def _nothing_over_linear(cells: Sequence[Cell]) -> Margins:
    """Yield the least lead of each set: it counts once, whatever its sizes."""
    least: dict[str, float] = {}
    for cell in cells:
        lead = cell.lead("nothing", "linear")
        if lead is not None and cell.rows >= MIN_ROWS_FROM_NOTHING:
            least[cell.set] = min(lead, least.get(cell.set, lead))
    yield from least.items()


def _sentences(cells: Sequence[Cell]) -> Margins:
    """Yield how far the named model is from a point below the best, of the trainings whose rivals were all judged."""
    for cell in cells:
        for way, results in cell.ways.items():
            for subset, result in results.items():
                if result.comparison is None:
                    continue
                rivals = {
                    name: cell.ways.get(way if name == "model" else name, {}).get(subset)
                    for name in result.comparison["candidates"]
                }
                scores = {name: each.score for name, each in rivals.items() if each is not None}
                if len(scores) == len(rivals):
                    margin = scores[result.comparison["best"]] - max(scores.values()) + POINT
                    yield f"{cell.place} {way} {subset}", margin
