"""Draw the curves of a report as SVG that takes its text colour from the page."""

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from sentiment.errors import ConfigError
from sentiment.evaluation.calibration import ConfidenceBin
from sentiment.evaluation.report import Coverage, Curve
from sentiment.explain.report import GREEN, LINES, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#010203"  # replaced by the page's text colour
_SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text, in the page's own font
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "text.parse_math": False,  # a dollar sign in a label is no formula
}


def reliability_plot(bins: Sequence[ConfidenceBin], name: str) -> str:
    """Plot accuracy against confidence; the area of a point is its rows."""

    def draw(axes: "Axes") -> None:
        total = sum(each.rows for each in bins)
        confidence, accuracy = [each.confidence for each in bins], [each.accuracy for each in bins]
        axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.8, linestyle=":")
        axes.plot(confidence, accuracy, color=GREEN, linewidth=1.5)
        axes.scatter(confidence, accuracy, s=[12 + 300 * each.rows / total for each in bins], color=GREEN, alpha=0.6)
        _unit(axes, "confidence", "accuracy")

    return _svg(draw, f"Reliability {name}: accuracy against confidence", name)


def precision_recall_plot(curves: dict[str, Curve], name: str) -> str:
    """Plot precision against recall, a line a label."""

    def draw(axes: "Axes") -> None:
        colours = LINES if len(curves) > 2 else (ORANGE, GREEN)
        for number, (label, curve) in enumerate(curves.items()):
            shown = f"{label} ({curve.average_precision:.3f})"
            axes.plot(curve.recall, curve.precision, color=colours[number % len(colours)], label=shown)
        axes.legend(loc="lower left", title="average precision")
        _unit(axes, "recall", "precision")

    return _svg(draw, f"Precision against recall of each label, {name}", name)


def coverage_plot(coverage: Sequence[Coverage]) -> str:
    """Plot accuracy against the share of texts answered, the most confident first, with its interval."""

    def draw(axes: "Axes") -> None:
        answered = [each.answered for each in coverage]
        accuracy = [each.accuracy for each in coverage]
        band = ([each.low for each in accuracy], [each.high for each in accuracy])
        axes.fill_between(answered, *band, color=ORANGE, alpha=0.25, linewidth=0)
        axes.plot(answered, [each.value for each in accuracy], color=ORANGE)
        axes.set_ylim(max(0.0, min(band[0]) - 0.02), 1.005)
        axes.set_xlim(0, 1)
        axes.set(xlabel="share of texts answered", ylabel="accuracy of the answers")

    return _svg(draw, "Accuracy of the answers against the share of texts answered")


def _unit(axes: "Axes", xlabel: str, ylabel: str) -> None:
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel=xlabel, ylabel=ylabel)


def _svg(draw: Callable[["Axes"], None], description: str, title: str = "") -> str:
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("a report needs two more packages: pip install 'sentiment-bilstm[evaluate]'") from None
    with rc_context({**_SETTINGS, "svg.hashsalt": description}):
        figure = Figure(figsize=(4.3, 3.3), layout="constrained")
        axes = figure.subplots()
        axes.set_title(title, fontsize="medium", loc="left")
        draw(axes)
        written = io.StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    body = written.getvalue()
    body = body[body.index("<svg") :].replace(_INK, "currentColor")
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    return re.sub(
        r'width="[\d.]+pt" height="[\d.]+pt"', f'role="img" aria-label="{escape(description)}"', body, count=1
    )
