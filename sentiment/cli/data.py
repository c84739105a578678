"""Download public data sets."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli.application import app

data = typer.Typer(help="Bring public sets.", no_args_is_help=True)
app.add_typer(data, name="data")


@data.command()
def fetch(
    name: Annotated[str, typer.Argument(help="imdb: 50,000 film reviews and as many without label; sst: sentences.")],
    folder: Annotated[Path, typer.Argument(help="Where the archive and its tables are written.")],
) -> None:
    """Bring a public set from those who made it, as tables that `train` reads.

    The archive's SHA-256 must be the known one. After a cut or a crash, the same command resumes.
    """
    from sentiment.terminal.data import download_progress
    from sentiment.terminal.screen import console
    from sentiment.training.data import public_sets

    with download_progress() as progress:
        written = public_sets.fetch(name, folder, progress)
    for path, rows in written.items():
        console.print(f"{path}: {rows:,} rows", soft_wrap=True)
