"""Explain how a model classifies a text."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import Answering, app
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError, TextError


@app.command(cls=Answering)
def explain(
    text: Annotated[str | None, typer.Argument(help="One text; default: standard input.")] = None,
    model: options.Model = DEFAULT_MODEL,
    as_json: options.Json = False,
    html: Annotated[Path | None, typer.Option(help="Also write an HTML page to this file.")] = None,
    png: Annotated[Path | None, typer.Option(help="Also write a picture to this PNG file.")] = None,
) -> None:
    """Show word weights, a prediction for each sentence, and the LSTM's states."""
    from sentiment.classifier import load
    from sentiment.explain.html import page
    from sentiment.explain.picture import draw
    from sentiment.explain.report import report
    from sentiment.explain.terminal import print_report
    from sentiment.terminal.screen import console

    if text is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise ConfigError('give a text, as in: sentiment explain "Not bad at all."')
        text = _read_text()
    for path in filter(None, (html, png)):
        if not path.absolute().parent.is_dir():  # before the work, not after it
            raise ConfigError(f"{path}: there is no folder {path.parent}")
    classifier = load(model)
    try:
        seen = report(classifier, text)
    except TextError as error:
        raise ConfigError(f"the text {error.reason}") from None
    if html:
        html.write_text(page(seen), encoding="utf-8")
    if png:
        draw(seen, png)
    if as_json:
        typer.echo(json.dumps(seen.as_dict()))
    else:
        print_report(seen, console)


def _read_text() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at offset {error.start}"
        raise ConfigError(f"standard input is not UTF-8: {byte}") from None
