"""Draw a report: weights, running probabilities and gates over the same words."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentiment.errors import ConfigError
from sentiment.explain.report import LINES, Report
from sentiment.explain.trace import MAX_TRACE_TOKENS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GATES = {"forget_gate": "#3b6fb6", "input_gate": "#8a5bb0", "output_gate": "#b08a1e"}
LABELS_READ = 120  # tokens; more of them would be written over each other


def draw(report: Report, path: Path) -> None:
    """Write the picture, in the format of the path's suffix.

    Raises ConfigError if matplotlib is missing, for a suffix it doesn't write, and for a text too long to trace.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("a picture needs one more package: pip install 'sentiment-bilstm[explain]'") from None
    if report.trace is None:
        count = len(report.explanation.tokens)
        raise ConfigError(f"a picture shows at most {MAX_TRACE_TOKENS} tokens; the text has {count}")
    figure = Figure(figsize=(max(6.0, min(40.0, 0.42 * len(report.trace.tokens) + 2)), 8), layout="constrained")
    formats = figure.canvas.get_supported_filetypes()
    if path.suffix[1:].lower() not in formats:
        raise ConfigError(f"{path}: a picture's suffix is one of {', '.join(sorted(formats))}")
    _fill(figure, report)
    figure.savefig(path, dpi=150)


def _fill(figure: "Figure", report: Report) -> None:
    assert report.trace is not None
    words, running, *gates = figure.subplots(2 + len(report.trace.layers), 1, sharex=True)
    places = range(len(report.trace.tokens))
    weights = [token.weight for token in report.explanation.tokens]
    prediction = report.explanation.prediction
    figure.suptitle(f"{report.label} {prediction.probabilities[report.label]:.1%}", parse_math=False)
    tints = list(report.colours.values())
    words.bar(places, weights, color=[tints[weight < 0] for weight in weights])
    words.axhline(0, color="grey", linewidth=0.5)
    words.set_ylabel(f"for {report.label}", parse_math=False)
    for number, (label, shares) in enumerate(report.trace.running.items()):
        running.plot(places, shares, color=LINES[number % len(LINES)], label=label)
    running.set_ylim(0, 1)
    running.set_ylabel("probability")
    for name in running.legend(fontsize="small").get_texts():
        name.set_parse_math(False)  # a dollar sign in a label is no formula
    for axis, layer in zip(gates, report.trace.layers, strict=True):
        for name, colour in GATES.items():
            axis.plot(places, layer.series[name].means, color=colour, label=name.replace("_", " "))
        axis.set_ylim(0, 1)
        axis.set_ylabel(f"{layer.direction}, layer {layer.layer}")
    gates[0].legend(fontsize="small")
    _name_tokens(gates[-1], [token.text for token in report.trace.tokens])


def _name_tokens(axis: Any, tokens: list[str]) -> None:
    every = -(-len(tokens) // LABELS_READ)
    places = range(0, len(tokens), every)
    # A dollar sign in a text is no formula.
    shown = [" ".join(tokens[place].split())[:20] for place in places]
    axis.set_xticks(list(places), shown, rotation=60, ha="right", parse_math=False)
