"""Print the figures of models."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.abstention import METRIC, AbstentionTable
from sentiment.terminal import screen

if TYPE_CHECKING:
    from sentiment.evaluation.comparison import Comparison
    from sentiment.evaluation.intervals import Estimate
    from sentiment.training.recalibration import Recalibrated


PROMISES = (0.02, 0.05, 0.1, 0.2)
SHOWN_FLIPS = 20


def print_figures(figures: dict[str, Any]) -> None:
    """Print what `evaluate` measured."""
    overall = screen.table("rows", "accuracy", "macro-F1", "macro-recall", "ECE")
    keys = ("accuracy", "macro_f1", "macro_recall", "ece")
    overall.add_row(f"{figures['rows']:,}", *(f"{figures[key]:.2%}" for key in keys))
    screen.console.print(overall)
    if figures["renormalized"]:
        labels = ", ".join(figures["labels"])
        screen.console.print(f"The file holds {labels} only: probabilities were renormalised over these.")
    classes = screen.table("label", "precision", "recall", "F1", "rows")
    for label in figures["labels"]:
        own = figures["per_class"][label]
        shares = (f"{own[key]:.2%}" for key in ("precision", "recall", "f1"))
        classes.add_row(label, *shares, f"{own['rows']:,}")
    screen.console.print(classes)
    said = screen.table("label", *(f"said {label}" for label in figures["labels"]))
    for label, counts in zip(figures["labels"], figures["confusion"], strict=True):
        said.add_row(label, *(f"{count:,}" for count in counts))
    screen.console.print(said)


def print_value_figures(figures: dict[str, Any]) -> None:
    """Print what `evaluate` measured of a model of numbers."""
    table = screen.table(f"{figures['rows']:,} rows", "", "95 % interval")
    for name, title in (
        ("pearson_r", "Pearson r"),
        ("mae", "mean absolute error"),
        ("rmse", "root mean squared error"),
    ):
        bounds = figures["intervals"][name]
        table.add_row(title, f"{figures[name]:.4g}", f"{bounds['low']:.4g} to {bounds['high']:.4g}")
    screen.console.print(table)


def print_calibrated(temperature_before: float, new: "Recalibrated", folder: Path, version: str) -> None:
    """Print what calibration changed and what the model can promise now."""
    screen.console.print(f"temperature: {temperature_before:g} before, {new.bundle.temperature:g} now")
    added = ", ".join(f"{label} {bias:+g}" for label, bias in new.biases.items())
    screen.console.print(f"added to the logits after it: {added}")
    promises = (f"wrong ≤ {promise:.0%}" for promise in PROMISES)
    table = screen.table("data", "rows", "accuracy before", "accuracy", "macro-recall", "ECE", *promises)
    for name, figures in new.bundle.metrics["dev"].items():
        levels = AbstentionTable.of(new.bundle.metrics[METRIC][name])
        table.add_row(
            name,
            f"{figures['rows']:,}",
            f"{new.accuracy_before[name]:.1%}",
            *(f"{figures[key]:.1%}" for key in ("accuracy", "macro_recall", "ece")),
            *(_answered(levels, promise) for promise in PROMISES),
        )
    screen.console.print(table)
    screen.console.print(
        "Under a promise: the share of texts that are answered when it is kept (--abstain). This, and everything "
        "right of accuracy before, is of each fifth of the rows as a fit to the other four answers it.",
    )
    screen.console.print(f"Written to {folder}, version {version}.", soft_wrap=True)


def _answered(table: AbstentionTable, promise: float) -> str:
    threshold = table.threshold(promise)
    if threshold is None:
        return "none"
    return f"{next(each.answered for each in table.levels if each.threshold == threshold) / table.rows:.0%}"


def print_comparison(comparison: "Comparison", written: Path | None) -> None:
    """Print how two models differ; where all flips were written to a file, says so."""
    table = screen.table("", "accuracy", "95 % interval")
    for name in ("old", "new", "difference"):
        estimate: Estimate = getattr(comparison, name if name == "difference" else f"{name}_accuracy")
        if name == "difference":
            points = [f"{100 * value:+.2f}" for value in (estimate.value, estimate.low, estimate.high)]
            table.add_row(name, f"{points[0]} points", f"{points[1]} to {points[2]} points")
        else:
            table.add_row(name, f"{estimate.value:.2%}", f"{estimate.low:.2%} to {estimate.high:.2%}")
    screen.console.print(table)
    if comparison.renormalized:
        labels = ", ".join(comparison.labels)
        screen.console.print(f"The file holds {labels} only: probabilities were renormalised over these.")
    screen.console.print(comparison.counts)
    screen.console.print(comparison.verdict)
    # What the new model breaks is what people must see before they take it.
    order = ("broken", "wrong", "mended")
    for flip in sorted(comparison.flips, key=lambda flip: order.index(flip.outcome))[:SHOWN_FLIPS]:
        old, new = flip.old_probabilities[flip.old_label], flip.new_probabilities[flip.new_label]
        said = f"{flip.old_label} {old:.0%} → {flip.new_label} {new:.0%}"
        line = f"{flip.outcome:<6}  row {flip.row:<6,}  {flip.label}: {said}  {' '.join(flip.text[:400].split())}"
        screen.console.print(line, no_wrap=True, overflow="ellipsis")
    if written is not None:
        screen.console.print(f"All of them: {written}", soft_wrap=True)
    elif len(comparison.flips) > SHOWN_FLIPS:
        screen.console.print(f"{len(comparison.flips) - SHOWN_FLIPS:,} more: --out FILE.csv or --json gives them all.")


def print_info(facts: dict[str, Any]) -> None:
    """Print what a model is."""
    table = screen.table(show_header=False)
    for name, value in facts.items():
        if name != "metrics":
            shown = ", ".join(value) if isinstance(value, list) else f"{value:,}" if isinstance(value, int) else value
            table.add_row(name, shown)
    for name, figures in facts["metrics"].get("dev", {}).items():
        if facts["task"] == "regression":
            table.add_row(f"dev: {name}", f"Pearson r {figures['pearson_r']:.3f}, MAE {figures['mae']:.4g}")
        else:
            table.add_row(f"dev: {name}", f"accuracy {figures['accuracy']:.1%}, ECE {figures['ece']:.1%}")
    screen.console.print(table)
