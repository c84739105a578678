"""Start the HTTP service."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import app
from sentiment.default import model_folder
from sentiment.errors import ConfigError


@app.command()
def serve(
    model: Annotated[
        Path | None,
        typer.Option(
            help="Model folder, or `default`; default: SENTIMENT_MODEL, else the default model.",
            parser=model_folder,
            metavar="FOLDER",
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; default: HOST, else 127.0.0.1.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default: PORT, else 8000.")] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of worker processes; default: WORKERS, else one a core.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Model requests that a worker accepts at once; default: THREADS, else 640.")
    ] = None,
) -> None:
    """Start the HTTP service on gunicorn."""
    service = importlib.util.find_spec("service")
    if service is None or service.origin is None or importlib.util.find_spec("gunicorn") is None:
        raise ConfigError("serving needs more packages: pip install 'sentiment-bilstm[serve]'")
    if model is not None and not (model / "manifest.json").is_file():
        raise ConfigError(f"--model: {model} holds no model (there is no {model / 'manifest.json'})")
    folder = None if model is None else model.absolute()  # `./default` must not become `default` again
    settings = {"SENTIMENT_MODEL": folder, "HOST": host, "PORT": port, "WORKERS": workers, "THREADS": threads}
    os.environ.update({name: str(value) for name, value in settings.items() if value is not None})
    config = Path(service.origin).with_name("gunicorn.conf.py")
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "--config", str(config)])
