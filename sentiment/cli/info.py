"""The command that shows a model."""

import json

import typer

from sentiment.cli import options
from sentiment.cli.application import Answering, app
from sentiment.default import DEFAULT_MODEL


@app.command(cls=Answering)
def info(model: options.Model = DEFAULT_MODEL, as_json: options.Json = False) -> None:
    """Show a model's labels, sizes, version and metrics."""
    from sentiment.classifier import load
    from sentiment.terminal.evaluation import print_info

    classifier = load(model, task=None)
    facts = {
        "name": classifier.name,
        "version": classifier.version,
        "task": classifier.task,
        "labels": [] if classifier.task == "regression" else list(classifier.labels),
        "language": classifier.text_config.language,
        "max_tokens": classifier.text_config.max_tokens,
        "vocabulary": len(classifier.vocabulary),
        "parameters": classifier.num_parameters,
        "bytes": sum(file.stat().st_size for file in model.iterdir() if file.is_file()),
        "metrics": classifier.metrics,
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        print_info(facts)
