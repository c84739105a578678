"""Download public data sets."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import app

data = typer.Typer(help="Download public data sets.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command()
def fetch(
    name: Annotated[
        str, typer.Argument(help="imdb: 50,000 labelled and 50,000 unlabelled film reviews; sst: sentences.")
    ],
    folder: Annotated[Path, typer.Argument(help="Folder for the archive and its tables.")],
) -> None:
    """Download a public data set from its authors, as tables that `train` reads.

    The archive's SHA-256 is checked. After an interruption, the same command resumes.
    """
    from sentiment.terminal.data import download_progress
    from sentiment.terminal.screen import console
    from sentiment.training.data import public_sets

    with download_progress() as progress:
        written = public_sets.fetch(name, folder, progress)
    for path, rows in written.items():
        console.print(f"{path}: {rows:,} rows", soft_wrap=True)
