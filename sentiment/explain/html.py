"""Write a report as one HTML file without scripts or external files."""

from html import escape

from sentiment.explain.attribution import Explanation
from sentiment.explain.report import LINES, Report, colours_of

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1rem/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 52rem; padding: 0 1rem; }
h2 { font-size: 1rem; margin: 2rem 0 .5rem; }
small, figcaption { color: GrayText; }
.words { font-size: 1.15rem; line-height: 2; white-space: pre-wrap; overflow-wrap: anywhere; }
.words span { border-radius: .2rem; }
.unknown { text-decoration: underline dotted; }
del { opacity: .6; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8884; padding: .25rem .75rem .25rem 0; text-align: start; vertical-align: top; }
svg { display: block; width: 100%; height: 12rem; }
polyline { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; }
"""


def page(report: Report) -> str:
    """Return the report as a whole document."""
    prediction = report.explanation.prediction
    shares = ", ".join(f"{escape(label)} {share:.1%}" for label, share in prediction.probabilities.items())
    label = escape(report.label)
    speaking_for, against = report.colours
    mixed = "<p>Mixed: one sentence is clearly positive, another clearly negative.</p>" if report.view.mixed else ""
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{label} {prediction.probabilities[report.label]:.0%}</title>
<style>{_STYLE}</style>
<h1>{label} {prediction.probabilities[report.label]:.1%}</h1>
<p>{shares}. {prediction.tokens} tokens, {prediction.unknown_tokens} unknown. <small>{escape(report.model)}</small></p>
<h2>Words: {speaking_for} for {label}, {against} against</h2>
<p class="words" dir="auto">{coloured_words(report.text, report.explanation)}</p>
<h2>Sentences</h2>
{mixed}<table>{_sentences(report)}</table>
{_running(report)}{_shapes(report)}</html>
"""


def coloured_words(text: str, explanation: Explanation) -> str:
    """Mark up the text: tokens tinted by weight, with the weight as title, and unread parts struck through."""
    tints = list(colours_of(explanation.prediction.label).values())
    largest = max(abs(token.weight) for token in explanation.tokens) or 1.0
    marks: list[tuple[int, int, str, str]] = []
    for token in explanation.tokens:
        tint = tints[token.weight < 0]
        title = f"{token.weight:+.2f}{', unknown' if token.unknown else ''}"
        style = f"background: {tint}{round(abs(token.weight) / largest * 150):02x}"
        shown = f'<span title="{title}" style="{style}"{" class=unknown" if token.unknown else ""}>'
        marks.append((token.start, token.end, shown, "</span>"))
    marks += [(gap.start, gap.end, '<del title="not read">', "</del>") for gap in explanation.omitted]
    pieces, place = [], 0
    for start, end, opening, closing in sorted(marks):
        start = max(start, place)  # parts of one character share it
        pieces += [escape(text[place:start]), opening, escape(text[start:end]), closing]
        place = max(place, end)
    return "".join([*pieces, escape(text[place:])])


def _sentences(report: Report) -> str:
    return "".join(
        f"<tr><th>{escape(each.label)}<td>{each.probabilities[each.label]:.1%}"
        f'<td dir="auto">{escape(report.text[each.start : each.end])}'
        for each in report.view.sentences
    )


def _running(report: Report) -> str:
    if report.trace is None:
        return ""
    steps = max(1, len(report.trace.tokens) - 1)
    lines, legend = [], []
    for number, (label, running) in enumerate(report.trace.running.items()):
        points = " ".join(f"{place / steps * 100:.2f},{100 - share * 100:.1f}" for place, share in enumerate(running))
        stroke = LINES[number % len(LINES)]
        lines.append(f'<polyline points="{points}" stroke="{stroke}"/>')
        legend.append(f'<span style="color: {stroke}">■</span> {escape(label)} {running[-1]:.1%}')
    turns = "".join(f"; {escape(turn.label)} from “{escape(turn.token)}” on" for turn in report.turns)
    return (
        "<h2>Probabilities as the text is read</h2>"
        '<figure style="margin: 0"><svg viewBox="0 0 100 100" preserveAspectRatio="none" role="img" '
        f'aria-label="Probability of each label up to each token">{"".join(lines)}</svg>'
        f"<figcaption>{', '.join(legend)}{turns}</figcaption></figure>"
    )


def _shapes(report: Report) -> str:
    if report.trace is None:
        return ""
    rows = "".join(
        f"<tr><th>{shape.name}<td>({', '.join(shape.letters)})<td>({', '.join(map(str, shape.sizes))})"
        for shape in report.trace.shapes
    )
    return (
        f"<h2>Shapes on the way</h2><table>{rows}</table>"
        "<p><small>N texts, T tokens, F features, H hidden units, L layers, C classes.</small></p>"
    )
