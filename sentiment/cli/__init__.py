"""Run the command line. Each command checks its options, calls the library and prints; heavy imports are local."""

import sys
import traceback
from contextlib import suppress
from io import TextIOWrapper
from typing import Any, NoReturn

import typer

from sentiment.cli import (  # noqa: F401  # each adds its command
    calibrate,
    check,
    compare,
    compare_encoders,
    data,
    distil,
    evaluate,
    explain,
    export,
    info,
    predict,
    score,
    serve,
    train,
    tune,
)
from sentiment.cli.application import app
from sentiment.errors import SentimentError
from sentiment.events import discard_output

_USAGE_ERROR: Any = typer.BadParameter.__base__  # typer names its children alone


def main() -> None:
    """Run the command line: 0 done, 1 some texts refused, 2 nothing done and one line on standard error says why."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error: a terminal may not know every sign
    try:
        code = app(prog_name="sentiment", standalone_mode=False)
    except SentimentError as error:
        _refuse(str(error))
    except _USAGE_ERROR as error:
        if not sys.argv[1:]:
            error.show()  # the help
            sys.exit(error.exit_code)
        command = error.ctx.command_path if error.ctx is not None else app.info.name
        reason = " ".join(error.format_message().split()).replace("Value error, ", "").rstrip(".")
        takes_texts = command in ("sentiment predict", "sentiment explain")
        if takes_texts and type(error).__name__ == "NoSuchOption" and not error.possibilities:
            _refuse(f"{reason}; a text that begins with - goes after --, as in: {command} -- TEXT")
        _refuse(f"{reason}; `{command} --help` describes it")
    except ModuleNotFoundError as error:
        package = (error.name or "sentiment").partition(".")[0]
        if package in ("sentiment", "service"):
            raise
        # What any other part needs is refused there: this is of what trains and judges.
        _refuse(f"this command needs {package}: pip install 'sentiment-bilstm[train]'")
    except OSError as error:
        _discard_unwritable()
        named = f"{error.filename}: " if error.filename else "a standard stream, or a file: "
        _refuse(named + (error.strerror or str(error)))
    except Exception:  # Python's own way out would be 1, as if the rest were done
        traceback.print_exc()
        sys.exit(2)
    sys.exit(code)


def _discard_unwritable() -> None:
    """Discard output that can't be written: Python would retry at exit, and complain."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        discard_output()


def _refuse(reason: str) -> NoReturn:
    from sentiment.terminal.screen import visible

    with suppress(OSError):  # the exit code says it, too
        typer.secho(f"error: {visible(' '.join(reason.splitlines()))}", fg="red", err=True)
    sys.exit(2)
