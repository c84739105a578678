"""The command that labels files."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.abstention import threshold_for
from sentiment.cli.application import Abstain, Json, Model, TextColumn, app
from sentiment.cli.stopping import stopping_on_signals
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError, DataError
from sentiment.events import discard_output, print_line
from sentiment.kernel_cache import bound_kernel_cache

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel
    from sentiment.scoring import ScoringSettings
    from sentiment.scoring.engines import Engine

BROKEN_PIPE = 128 + signal.SIGPIPE
LOCAL, RAY = "local", "ray"
SMALL_BYTES = 1 << 22  # are scored before another process has its model


@app.command()
def score(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Files, folders or globs, then the file to write; or a folder of parts, if it ends with a slash; "
            "- is standard input or output.",
        ),
    ],
    model: Model = DEFAULT_MODEL,
    text_column: TextColumn = "text",
    columns: Annotated[str | None, typer.Option(help="Input columns to keep, as a,b; else all.")] = None,
    top_only: Annotated[
        bool, typer.Option("--top-only", help="Add the label and its probability, or the value, no more.")
    ] = False,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Add what each sentence says, and whether two disagree.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Reject texts too long to be read in full.")] = False,
    threshold: Annotated[float, typer.Option(help="Under this probability the label is `uncertain`.")] = 0.0,
    abstain: Abstain = None,
    escape_formulas: Annotated[
        bool, typer.Option(help="In CSV, an apostrophe before what a spreadsheet would run.")
    ] = True,
    max_rejects: Annotated[int | None, typer.Option(min=0, help="Stop when more rows are rejected.")] = None,
    shard_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows between two checkpoints: what a crash costs at most.")
    ] = None,
    dtype: Annotated[
        str, typer.Option(help="float32, or bfloat16: faster where the CPU has it, probabilities within 0.05.")
    ] = "float32",
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="That hold the model and answer; else, for large files, one a core."),
    ] = None,
    engine: Annotated[str, typer.Option(help="What answers: `local` processes, or a `ray` cluster.")] = LOCAL,
    ray_address: Annotated[
        str | None, typer.Option(help="HOST:PORT of a Ray cluster, or auto; else one of this machine alone.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Start anew, not where a killed job stopped.")] = False,
    report: Annotated[Path | None, typer.Option(help="An HTML page to write: shares, histograms, drift.")] = None,
    as_json: Json = False,
) -> None:
    """Add label and probabilities to every row of files.

    The same command after a crash goes on where the job was, and writes the same bytes.
    """
    if len(paths) < 2:
        raise ConfigError("give an input and an output, as in: sentiment score comments.csv scored.csv")
    if abstain is not None and threshold:
        raise ConfigError("--threshold and --abstain both say when to be uncertain: give one")
    if engine not in (LOCAL, RAY):
        raise ConfigError(f"--engine: {LOCAL} or {RAY}, not {engine!r}")
    if ray_address is not None and engine != RAY:
        raise ConfigError("--ray-address is for --engine ray")
    if ray_address is not None and processes is not None:
        raise ConfigError("--processes: the cluster at --ray-address has its own: leave one out")
    bound_kernel_cache()
    *inputs, output = paths
    if report is not None:
        _check_report(report)
    with stopping_on_signals("" if output == "-" else "; the same command goes on from what is done"):
        from sentiment.nn.precision import DTYPES, native_dtypes
        from sentiment.scoring import ScoringSettings
        from sentiment.scoring.settings import SHARD_ROWS

        if ray_address is None and dtype in DTYPES and dtype not in native_dtypes():
            raise ConfigError(
                f"--dtype: this processor does not compute {dtype} itself; float32 is quicker here, and exact"
            )

        settings = ScoringSettings(
            text_column=text_column,
            columns=None if columns is None else [name for name in columns.split(",") if name],
            top_only=top_only,
            sentences=sentences,
            strict=strict,
            threshold=threshold,
            escape_formulas=escape_formulas,
            shard_rows=SHARD_ROWS if shard_rows is None else shard_rows,
        )
        if output == "-":
            if report is not None or as_json or max_rejects is not None or engine == RAY:
                raise ConfigError("--report, --json, --max-rejects and --engine ray are for an output that is a file")
            rejected = _score_to_pipe(model, dtype, inputs, settings, abstain)
        else:
            make_engine = partial(_ray_engine, ray_address) if engine == RAY else _local_engine
            begin = partial(make_engine, model, processes)
            rejected = _score_to_files(
                model, dtype, inputs, output, settings, abstain, begin, max_rejects, restart, report, as_json
            )
    if rejected:
        sys.exit(1)


def _score_to_files(
    model: Path,
    dtype: str,
    inputs: list[str],
    output: str,
    settings: "ScoringSettings",
    abstain: float | None,
    begin: "Callable[[AnyModel, Sequence[str]], Engine]",
    max_rejects: int | None,
    restart: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """How many rows were rejected."""
    import torch

    from sentiment.classifier import load
    from sentiment.scoring.events import JsonEvents
    from sentiment.scoring.formats import INPUT_SUFFIXES
    from sentiment.scoring.job import score as score_files
    from sentiment.scoring.pipe import refuse_pipe
    from sentiment.scoring.report import write_report
    from sentiment.storage.files import expand
    from sentiment.terminal.scoring import print_summary, scoring_progress

    refuse_pipe(inputs)
    paths = expand(inputs, INPUT_SUFFIXES)
    torch.set_num_threads(1)  # the same answers to the last digit, however many processes give them
    classifier = load(model, dtype=dtype, task=None)
    if report is not None and classifier.task == "regression":
        raise ConfigError(f"--report is for models of labels; {classifier.name!r} answers with a number")
    settings = _keeping(abstain, settings, classifier)
    events = JsonEvents(print_line)
    with (
        closing(begin(classifier, paths)) as engine,
        nullcontext(events.progress) if as_json else scoring_progress() as on_progress,
    ):
        summary = score_files(
            classifier, inputs, output, settings, on_progress, engine=engine, max_rejects=max_rejects, restart=restart
        )
    if report is not None and classifier.task == "classification":
        try:
            write_report(report, summary, classifier)
        except OSError as error:
            reason = f"{report}: can't be written: {error.strerror}"
            raise DataError(f"{reason}; the output is whole, its report is not there") from None
    if as_json:
        events.done(summary)
    else:
        try:
            print_summary(summary)
        except OSError:  # as `print_line`: the output is whole
            discard_output()
    return summary.rejected


def _check_report(path: Path) -> None:
    """Raises ConfigError where no report can be written: before hours of work, not after."""
    if not path.parent.is_dir():
        raise ConfigError(f"--report: there is no folder {path.parent}; make it first")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"--report: {path} can't be written; name a file in a folder that can be written to")


def _local_engine(model: Path, processes: int | None, classifier: "AnyModel", paths: "Sequence[str]") -> "Engine":
    from sentiment.scoring.engines import LocalEngine, ProcessEngine
    from sentiment.scoring.inputs import total_size

    if processes is None:
        processes = len(os.sched_getaffinity(0)) if total_size(paths) > SMALL_BYTES else 1
    if processes == 1:
        return LocalEngine(classifier)
    return ProcessEngine(model, classifier.version, processes, dtype=classifier.dtype)


def _ray_engine(
    address: str | None,
    model: Path,
    processes: int | None,
    classifier: "AnyModel",
    paths: "Sequence[str]",
) -> "Engine":
    from sentiment.scoring.ray_engine import RayEngine

    return RayEngine(model, classifier.version, address=address, processes=processes, dtype=classifier.dtype)


def _score_to_pipe(
    model: Path, dtype: str, inputs: list[str], settings: "ScoringSettings", abstain: float | None
) -> int:
    """How many rows were rejected: these go to standard error. Nothing but answers on standard output."""
    from sentiment.classifier import load
    from sentiment.scoring.pipe import score_to_pipe

    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output"), (sys.stderr, "error")):
        if stream is None:
            raise DataError(f"-: standard {name} is closed; rows come and go through it")
    try:
        classifier = load(model, dtype=dtype, task=None)
        settings = _keeping(abstain, settings, classifier)
        output, rejects = sys.stdout.buffer, sys.stderr.buffer
        _, rejected = score_to_pipe(classifier, inputs, sys.stdin.fileno(), output, rejects, settings)
    except BrokenPipeError:
        discard_output()  # or Python would complain at its exit
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        discard_output()
        raise DataError(f"-: {error.strerror}; what is written is not all, and no pipe goes on: run it again") from None
    return rejected


def _keeping(promise: float | None, settings: "ScoringSettings", classifier: "AnyModel") -> "ScoringSettings":
    """The settings with the threshold that keeps the promise, if there is one."""
    if promise is None:
        return settings
    if classifier.task == "regression":
        raise ConfigError(f"--abstain is for models of labels; {classifier.name!r} answers with a number")
    return replace(settings, threshold=threshold_for(promise, classifier.metrics, classifier.name))
