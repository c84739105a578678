"""Predict the labels of texts given on the command line or standard input."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.abstention import UNCERTAIN
from sentiment.cli import options
from sentiment.cli.application import Answering, app, read_threshold
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError, TextError
from sentiment.terminal.screen import visible

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel, AnyPrediction, EncodedText

LINES_AT_ONCE = 256


@app.command(cls=Answering)
def predict(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; default: the lines of standard input.")] = None,
    model: options.Model = DEFAULT_MODEL,
    abstain: options.Abstain = None,
    steps: Annotated[
        bool, typer.Option("--steps", help="Print the prediction after each word; needs a unidirectional network.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Predict the labels of texts, or of the lines of standard input."""
    from sentiment.classifier import load

    if not texts and (sys.stdin is None or sys.stdin.isatty()):
        raise ConfigError('give texts, as in: sentiment predict "Not bad at all.", or lines on standard input')
    if abstain is not None and steps:
        raise ConfigError("--abstain is kept for whole texts: leave --steps out")
    classifier = load(model, task=None)
    threshold = 0.0 if abstain is None else read_threshold(abstain, classifier)
    lines: Iterable[str | bytes] = texts or (line.rstrip(b"\r\n") for line in sys.stdin.buffer)
    given = iter(lines)
    refused = False
    number = 0
    while batch := list(islice(given, LINES_AT_ONCE)):
        for text, answer in zip(batch, _answers(classifier, batch, threshold), strict=True):
            number += 1
            refused |= isinstance(answer, str)
            if steps and not isinstance(answer, str):
                _print_steps(classifier, text.decode() if isinstance(text, bytes) else text, as_json)
            else:
                _print_answer(number, text, answer, as_json)
    if refused:
        sys.exit(1)


def _answers(
    classifier: "AnyModel", texts: "Sequence[str | bytes]", threshold: float
) -> "Iterator[AnyPrediction | str]":
    """Return a prediction, `uncertain` under the threshold, or why there is none, for each text.

    One bad line costs the others nothing.
    """
    encoded: list[EncodedText | str] = []
    for text in texts:
        try:
            decoded = text.decode() if isinstance(text, bytes) else text
            encoded.append(classifier.encode([decoded])[0])
        except UnicodeDecodeError as error:
            encoded.append(f"is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}")
        except TextError as error:
            encoded.append(error.reason)
    sound = [each for each in encoded if not isinstance(each, str)]
    predictions: Iterator[AnyPrediction]
    if classifier.task == "regression":
        predictions = iter(classifier.classify(sound))
    else:
        predictions = (
            found if max(found.probabilities.values()) >= threshold else replace(found, label=UNCERTAIN)
            for found in classifier.classify(sound)
        )
    return (each if isinstance(each, str) else next(predictions) for each in encoded)


def _print_steps(classifier: "AnyModel", text: str, as_json: bool) -> None:
    [aligned] = classifier.align([text])
    answers: Sequence[AnyPrediction] = classifier.predict_steps(text)
    for (start, end), answer in zip(aligned.spans, answers, strict=True):
        if as_json:
            typer.echo(json.dumps({"word": text[start:end], **asdict(answer)}))
        else:
            typer.echo(visible(f"{_format_answer(answer)}  {' '.join(text[start:end].split())}"))


def _format_answer(answer: "AnyPrediction") -> str:
    fields = asdict(answer)
    if "value" in fields:
        return f"{fields['value']:10.4g}"
    return f"{fields['label']:<10} {max(fields['probabilities'].values()):6.1%}"


def _print_answer(number: int, text: str | bytes, answer: "AnyPrediction | str", as_json: bool) -> None:
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
    typer.echo(visible(f"{_format_answer(answer)}  {shown[:100]}{note}"))
