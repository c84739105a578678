"""The command line. Each command checks its options, calls the library, and prints; heavy imports wait inside."""

import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.errors import ConfigError, SentimentError, TextError

if TYPE_CHECKING:
    from sentiment.classifier import Classifier, EncodedText, Prediction

DEFAULT_MODEL = Path("models/default")
LINES_AT_ONCE = 256

app = typer.Typer(
    name="sentiment",
    help="Sentiment of texts by a small bidirectional LSTM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
Model = Annotated[Path, typer.Option("--model", help="Model folder.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
TextColumn = Annotated[str, typer.Option(help="The column that holds the text.")]
LabelColumn = Annotated[str, typer.Option(help="The column that holds the label.")]


def main() -> None:
    """Runs the command line: 0 done, 1 some texts refused, 2 nothing done and one line on standard error says why."""
    try:
        app()
    except SentimentError as error:
        typer.secho(f"error: {error}", fg="red", err=True)
        sys.exit(2)


@app.command()
def train(
    data: Annotated[list[Path] | None, typer.Argument(help="Labelled files: CSV, TSV, JSONL or Parquet.")] = None,
    out: Annotated[Path, typer.Option(help="Where the model folder is written.")] = Path("models/mine"),
    dev: Annotated[list[Path] | None, typer.Option(help="Files to judge by; else a tenth is split off.")] = None,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    language: Annotated[str, typer.Option(help="spaCy's code of the language.")] = "en",
    epochs: Annotated[int | None, typer.Option(help="At most this many passes over the data.")] = None,
    hidden_size: Annotated[int | None, typer.Option(help="Hidden units of each direction.")] = None,
    vectors: Annotated[
        list[str] | None, typer.Option(help="Pretrained word vectors: glove-6b-50d, or a .vec or .bin file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same weights.")] = 0,
    skip_empty: Annotated[bool, typer.Option(help="Leave rows without text out.")] = False,
    recipe: Annotated[Path | None, typer.Option(help="A TOML file with all of these and more, instead.")] = None,
) -> None:
    """Train a model on labelled files and write its folder."""
    from sentiment import bundle as bundles
    from sentiment.terminal import print_data, print_trained, training_progress
    from sentiment.training.recipe import Recipe
    from sentiment.training.trainer import read_data
    from sentiment.training.trainer import train as train_model

    bundles.check_target(out)  # before the hours, not after them
    if (recipe is None) == (not data):
        raise ConfigError("give labelled files, or one --recipe" + (", not both" if recipe else ""))
    if recipe is not None:
        plan = Recipe.read(recipe)
    else:
        columns = {"text_column": text_column, "label_column": label_column}
        training = {"seed": seed, "vectors": vectors, "epochs": epochs}
        plan = Recipe.of(
            {
                "name": out.name,
                "train": [{"path": path, **columns} for path in data or ()],
                "dev": [{"path": path, **columns} for path in dev or ()],
                "skip_empty": skip_empty,
                "text": {"language": language},
                "model": {} if hidden_size is None else {"hidden_size": hidden_size},
                "training": {name: value for name, value in training.items() if value is not None},
            }
        )
    held = read_data(plan)
    print_data(held)
    with training_progress() as report:
        bundle = train_model(plan, held, report)
    version = bundles.save(bundle, out)
    print_trained(bundle, out, version)


@app.command()
def evaluate(
    data: Annotated[Path, typer.Option(help="Labelled file.")],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    label_column: LabelColumn = "label",
    as_json: Json = False,
) -> None:
    """Measure a model on a labelled file."""
    from sentiment.classifier import load
    from sentiment.evaluation.metrics import evaluate as measure
    from sentiment.terminal import print_figures
    from sentiment.training.dataset import read_labelled
    from sentiment.training.recipe import Source

    source = Source(path=data, text_column=text_column, label_column=label_column)
    labelled = read_labelled(source)
    figures = measure(load(model), labelled.texts, labelled.labels)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        print_figures(figures)


@app.command()
def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; none: the lines of standard input.")] = None,
    model: Model = DEFAULT_MODEL,
    as_json: Json = False,
) -> None:
    """Label texts, or the lines of standard input."""
    from sentiment.classifier import load

    if not texts and sys.stdin.isatty():
        raise ConfigError('give texts, as in: sentiment predict "Not bad at all.", or lines on standard input')
    classifier = load(model)
    lines: Iterable[str | bytes] = texts or (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
    given = iter(lines)
    refused = False
    number = 0
    while window := list(islice(given, LINES_AT_ONCE)):
        for text, answer in zip(window, _answers(classifier, window), strict=True):
            number += 1
            refused |= isinstance(answer, str)
            _print_answer(number, text, answer, as_json)
    if refused:
        sys.exit(1)


@app.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="CSV, TSV, JSONL, Parquet or text file.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="File to write, its format by its suffix.")],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
) -> None:
    """Add label and probabilities to every row of a file."""
    from sentiment.classifier import load
    from sentiment.scoring.job import score as score_file
    from sentiment.terminal import print_summary, scoring_progress

    with scoring_progress() as report:
        summary = score_file(load(model), source, target, text_column, report)
    print_summary(summary)
    if summary.rejected:
        sys.exit(1)


@app.command()
def serve(
    model: Model = DEFAULT_MODEL,
    host: Annotated[str | None, typer.Option(help="Address to listen on; else HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else PORT, else 8000.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes, each with its own model; else WORKERS.")] = None,
    threads: Annotated[int | None, typer.Option(help="Requests a process takes at once; else THREADS.")] = None,
) -> None:
    """Answer over HTTP, on gunicorn."""
    service = importlib.util.find_spec("service")
    if service is None or service.origin is None or importlib.util.find_spec("gunicorn") is None:
        raise ConfigError("serving needs more packages: pip install 'sentiment-bilstm[serve]'")
    if not (model / "manifest.json").is_file():
        raise ConfigError(f"--model: {model} holds no model (there is no {model / 'manifest.json'})")
    settings = {"SENTIMENT_MODEL": model, "HOST": host, "PORT": port, "WORKERS": workers, "THREADS": threads}
    os.environ.update({name: str(value) for name, value in settings.items() if value is not None})
    config = Path(service.origin).with_name("gunicorn.conf.py")
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", str(config)])


@app.command()
def info(model: Model = DEFAULT_MODEL, as_json: Json = False) -> None:
    """Show what a model is: its labels, sizes, version and figures."""
    from sentiment.classifier import load
    from sentiment.terminal import print_info

    classifier = load(model)
    facts = {
        "name": classifier.name,
        "version": classifier.version,
        "labels": list(classifier.labels),
        "language": classifier.text_config.language,
        "max_tokens": classifier.text_config.max_tokens,
        "vocabulary": len(classifier.vocabulary),
        "parameters": classifier.num_parameters,
        "bytes": sum(file.stat().st_size for file in model.iterdir()),
        "metrics": classifier.metrics,
    }
    if as_json:
        typer.echo(json.dumps(facts))
    else:
        print_info(facts)


def _answers(classifier: "Classifier", texts: "Sequence[str | bytes]") -> "Iterator[Prediction | str]":
    """A prediction, or why there is none, for each text: one bad line costs the others nothing."""
    encoded: list[EncodedText | str] = []
    for text in texts:
        try:
            decoded = text.decode() if isinstance(text, bytes) else text
            encoded.append(classifier.encode([decoded])[0])
        except UnicodeDecodeError as error:
            encoded.append(f"is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}")
        except TextError as error:
            encoded.append(error.reason)
    predictions = iter(classifier.classify([each for each in encoded if not isinstance(each, str)]))
    return (each if isinstance(each, str) else next(predictions) for each in encoded)


def _print_answer(number: int, text: str | bytes, answer: "Prediction | str", as_json: bool) -> None:
    if isinstance(answer, str):
        if as_json:
            typer.echo(json.dumps({"line": number, "error": answer}))
        typer.secho(f"error: text {number}: {answer}", fg="red", err=True)
        return
    if as_json:
        typer.echo(json.dumps(asdict(answer)))
        return
    notes = []
    if answer.unknown_tokens:
        notes.append(f"{answer.unknown_tokens} of {answer.tokens} tokens unknown")
    if answer.truncated:
        notes.append("truncated: the middle was not read")
    shown = text.decode() if isinstance(text, bytes) else text
    shown = " ".join(shown[:200].split())
    note = f"  ({'; '.join(notes)})" if notes else ""
    typer.echo(f"{answer.label:<10} {answer.probabilities[answer.label]:6.1%}  {shown[:100]}{note}")
