"""A report as one HTML file that needs nothing else: no script, nothing from another place."""

import json
from pathlib import Path

from sentiment.errors import ConfigError
from sentiment.evaluation.plots import coverage_plot, precision_recall_plot, reliability_plot
from sentiment.evaluation.report import Report
from sentiment.explain.html import coloured_words
from sentiment.explain.report import colours_of

PAGE, FIGURES = "index.html", "metrics.json"


def write(report: Report, folder: Path) -> None:
    """Write the page and its figures as JSON into the folder, made where there is none."""
    shown = page(report)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(shown, encoding="utf-8")
    (folder / FIGURES).write_text(json.dumps(report.as_dict(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def page(report: Report) -> str:
    """Return the report as a whole document. Raises ConfigError if jinja2 or matplotlib is missing."""
    try:
        from jinja2 import Environment, PackageLoader, StrictUndefined
    except ImportError:
        raise ConfigError("a report needs two more packages: pip install 'sentiment-bilstm[evaluate]'") from None
    environment = Environment(
        loader=PackageLoader("sentiment.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share, digits=1: f"{share:.{digits}%}".replace("%", "\N{NO-BREAK SPACE}%")
    plots = {
        "reliability_before": reliability_plot(report.reliability_before, "before (temperature 1)"),
        "reliability": reliability_plot(report.reliability, f"after (temperature {report.temperature:g})"),
        "curves_before": precision_recall_plot(report.curves_before, "before (temperature 1)"),
        "curves": precision_recall_plot(report.curves, f"after (temperature {report.temperature:g})"),
        "coverage": coverage_plot(report.coverage),
    }
    words = [
        (error, coloured_words(error.text, error.explanation), list(colours_of(error.explanation.prediction.label)))
        for error in report.errors
    ]
    largest = max(max(row) for row in report.figures["confusion"])
    return environment.get_template("page.html").render(report=report, plots=plots, words=words, largest=largest)
