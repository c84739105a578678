"""The summary of a job as a page: one HTML file that needs nothing else."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from sentiment.classifier import Classifier
from sentiment.scoring.job import ScoringSummary
from sentiment.scoring.partial_file import PartialFile
from sentiment.scoring.tally import CONFIDENCE_BINS

DRIFT_TO_WATCH = 0.1  # population stability index: below it there is none to speak of, from 0.25 on it is large
DRIFT_LARGE = 0.25
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 48rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a }
table { border-collapse: collapse; width: 100% } td, th { padding: .2rem .5rem; text-align: right }
td:first-child, th:first-child { text-align: left; white-space: nowrap } td.bar { width: 55%; text-align: left }
td.bar div { background: #3b6ea5; height: .9rem; min-width: 1px } h2 { margin-top: 2rem }
@media (prefers-color-scheme: dark) { body { background: #16181b; color: #e6e6e6 } }
"""


def write_report(path: Path, summary: ScoringSummary, classifier: Classifier) -> None:
    """Writes the page, in its place when it is whole."""
    with PartialFile(path) as partial:
        partial.file.write(report(summary, classifier).encode())
        partial.publish()


def report(summary: ScoringSummary, classifier: Classifier) -> str:
    """The page: what became of the rows, label shares, confidences, lengths, and drift against the model's dev data."""
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
        f"{place / CONFIDENCE_BINS:.2f} to {(place + 1) / CONFIDENCE_BINS:.2f}" for place in range(CONFIDENCE_BINS)
    ]
    spans = ["1", *(f"{1 << place:,} to {(2 << place) - 1:,}" for place in range(1, len(summary.lengths)))]
    parts = [
        f"<table>{rows}</table>",
        _histogram("Labels", list(summary.labels), list(summary.labels.values())),
        _histogram("Confidence: the highest probability", edges, summary.confidences),
        _histogram("Length in tokens", spans, summary.lengths),
        _drift(summary.labels, classifier),
    ]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def drift(labels: Mapping[str, int], said: Mapping[str, int]) -> float:
    """The population stability index between two counts of the same labels: 0 where the shares are the same."""
    total, total_said = sum(labels.values()), sum(said.values())
    index = 0.0
    for label in said:
        # Half a row where there is none: a share of 0 has no logarithm.
        share, share_said = (
            max(counts.get(label, 0), 0.5) / max(whole, 1) for counts, whole in ((labels, total), (said, total_said))
        )
        index += (share - share_said) * math.log(share / share_said)
    return index


def said_on_dev_sets(metrics: Mapping[str, Any], labels: Sequence[str]) -> dict[str, dict[str, int]]:
    """How often the model gave each label, by dev set: those that hold all of its labels."""
    return {
        name: dict(zip(labels, map(sum, zip(*figures["confusion"], strict=True)), strict=True))
        for name, figures in metrics.get("dev", {}).items()
        if list(figures.get("labels", ())) == list(labels) and figures.get("rows")
    }


def _drift(labels: Mapping[str, int], classifier: Classifier) -> str:
    sets = said_on_dev_sets(classifier.metrics, classifier.labels)
    if not sets:
        return "<h2>Drift</h2><p>The model has no figures of dev data with all of its labels to compare with.</p>"
    counted = {label: labels.get(label, 0) for label in classifier.labels}
    lines = "".join(
        f"<tr><td>{escape(name)}</td><td>{drift(counted, said):.3f}</td><td>{_verdict(drift(counted, said))}</td></tr>"
        for name, said in sets.items()
    )
    return (
        "<h2>Drift</h2><p>Population stability index of the label shares here against those that the model gave on the "
        f"data it was judged by.</p><table><tr><th>data</th><th>index</th><th></th></tr>{lines}</table>"
    )


def _verdict(index: float) -> str:
    return "none to speak of" if index < DRIFT_TO_WATCH else "some" if index < DRIFT_LARGE else "large"


def _histogram(title: str, names: Sequence[str], counts: Sequence[int]) -> str:
    used = [place for place, count in enumerate(counts) if count]
    if not used:
        return f"<h2>{escape(title)}</h2><p>none</p>"
    total, largest = sum(counts), max(counts)
    lines = "".join(
        f"<tr><td>{escape(names[place])}</td><td>{counts[place]:,}</td><td>{counts[place] / total:.1%}</td>"
        f'<td class="bar"><div style="width:{100 * counts[place] / largest:.1f}%"></div></td></tr>'
        for place in range(used[0], used[-1] + 1)
    )
    return f"<h2>{escape(title)}</h2><table>{lines}</table>"
