"""The page of the commands, from their own help."""

import typer.cli
from typer.testing import CliRunner


def markdown() -> str:
    """Return a section a command, as `typer sentiment.cli utils docs` writes it."""
    help_of_all = CliRunner().invoke(
        typer.cli.app, ["sentiment.cli", "utils", "docs", "--name", "sentiment"], catch_exceptions=False
    )
    _, mark, commands = help_of_all.output.partition("\n## ")
    if help_of_all.exit_code or not mark:
        raise RuntimeError(f"typer gave no help of the commands: {help_of_all.output}")
    return mark + commands
