"""Write the summary of a job as one HTML file without external files."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from sentiment.classifier import Classifier
from sentiment.scoring.drift import MUCH, SOME, UNKNOWN, Drift, meaning
from sentiment.scoring.job import ScoringSummary
from sentiment.scoring.statistics import CONFIDENCE_BINS
from sentiment.storage.atomic import PartialFile

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; width: 100% } td, th { padding: .2rem .5rem; text-align: right }
td:first-child, th:first-child { text-align: left; white-space: nowrap } td.bar { width: 55%; text-align: left }
td.bar div { background: #3b6ea5; height: .9rem; min-width: 1px } h2 { margin-top: 2rem }
@media (prefers-color-scheme: dark) { body { background: #16181b; color: #e6e6e6 } }
"""


def write_report(path: Path, summary: ScoringSummary, classifier: Classifier) -> None:
    """Write the page, in its place when it is whole."""
    with PartialFile(path) as partial:
        partial.file.write(report(summary, classifier).encode())
        partial.publish()


def report(summary: ScoringSummary, classifier: Classifier) -> str:
    """Return the page: counts of rows, label shares, confidences, lengths, and drift from the model's dev data."""
    title = f"{Path(summary.output_path).name}, scored by {classifier.name} {classifier.version[:12]}"
    unknown = summary.unknown_tokens / max(summary.tokens, 1)
    facts = {
        "rows": f"{summary.rows:,}",
        "scored": f"{summary.scored:,}",
        "rejected": f"{summary.rejected:,}",
        "tokens": f"{summary.tokens:,}",
        "unknown tokens": f"{unknown:.2%}",
        "truncated texts": f"{summary.truncated:,}",
    }
    if summary.rejects_path is not None:
        facts["rejects"] = str(summary.rejects_path)
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in facts.items())
    edges = [
        f"{index / CONFIDENCE_BINS:.2f} to {(index + 1) / CONFIDENCE_BINS:.2f}" for index in range(CONFIDENCE_BINS)
    ]
    spans = ["1", *(f"{1 << index:,} to {(2 << index) - 1:,}" for index in range(1, len(summary.lengths)))]
    parts = [
        f"<table>{rows}</table>",
        _histogram("Labels", list(summary.labels), list(summary.labels.values())),
        _histogram("Confidence: the highest probability", edges, summary.confidences),
        _histogram("Length in tokens", spans, summary.lengths),
        _drift(summary.drift, classifier),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _drift(found: Sequence[Drift] | None, classifier: Classifier) -> str:
    if found is None:
        return f"<h2>Drift</h2><p>Not known: {escape(classifier.name)} {UNKNOWN}.</p>"
    if not found:
        return "<h2>Drift</h2><p>No row was scored.</p>"
    respects = list(dict.fromkeys(each.of for each in found))
    cells = {(each.data, each.of): f"{each.amount} ({each.index:.2f})" for each in found}
    lines = "".join(
        f"<tr><td>{escape(data)}</td>" + "".join(f"<td>{cells[data, of]}</td>" for of in respects) + "</tr>"
        for data in dict.fromkeys(each.data for each in found)
    )
    return (
        f"<h2>Drift</h2><p>{escape(meaning(found))}</p><p>How far these rows are from each set of texts that the model "
        "was judged by when it was trained, the nearest first, as a population stability index: 0 is the same, under "
        f"{SOME} little, from {MUCH} on much.</p>"
        f"<table><tr><th>dev set</th>{''.join(f'<th>{of}</th>' for of in respects)}</tr>{lines}</table>"
    )


def _histogram(title: str, names: Sequence[str], counts: Sequence[int]) -> str:
    used = [index for index, count in enumerate(counts) if count]
    if not used:
        return f"<h2>{escape(title)}</h2><p>none</p>"
    total, largest = sum(counts), max(counts)
    lines = "".join(
        f"<tr><td>{escape(names[index])}</td><td>{counts[index]:,}</td><td>{counts[index] / total:.1%}</td>"
        f'<td class="bar"><div style="width:{100 * counts[index] / largest:.1f}%"></div></td></tr>'
        for index in range(used[0], used[-1] + 1)
    )
    return f"<h2>{escape(title)}</h2><table>{lines}</table>"
