"""Score into files, with progress, summary and report, or into a pipe."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.cli.application import read_threshold
from sentiment.cli.engines import load_in_dtype
from sentiment.errors import ConfigError, DataError
from sentiment.events import BROKEN_PIPE, discard_output, print_line

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel
    from sentiment.scoring import ScoringSettings
    from sentiment.scoring.predict.engines import Engine


def check_report(path: Path) -> None:
    """Raise ConfigError if no report can be written: before hours of work, not after."""
    if not path.parent.is_dir():
        raise ConfigError(f"--report: there is no folder {path.parent}; make it first")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"--report: {path} can't be written; name a file in a folder that can be written to")


def _check_report_is_apart(report: Path, paths: Sequence[str]) -> None:
    for path in paths:
        if os.path.realpath(report) == os.path.realpath(path):
            raise ConfigError(
                f"--report: {report} is an input, the output or its rejects; give the report another name"
            )


def score_to_files(
    model: Path,
    dtype: str,
    inputs: list[str],
    output: str,
    settings: "ScoringSettings",
    abstain: float | None,
    *,
    begin: "Callable[[AnyModel, Sequence[str]], Engine]",
    max_rejects: int | None,
    restart: bool,
    report: Path | None,
    as_json: bool,
) -> int:
    """Score files and return the number of rejected rows. `begin` starts the engine for a model and files."""
    import torch

    from sentiment.scoring.events import JsonEvents
    from sentiment.scoring.formats.by_suffix import INPUT_SUFFIXES
    from sentiment.scoring.job import score as score_files
    from sentiment.scoring.pipe import refuse_pipe
    from sentiment.scoring.report import write_report
    from sentiment.scoring.resume.target import target_of
    from sentiment.storage.files import expand
    from sentiment.terminal.scoring import print_summary, scoring_progress

    refuse_pipe(inputs)
    paths = expand(inputs, INPUT_SUFFIXES)
    if report is not None:
        _check_report_is_apart(report, [*paths, output, str(target_of(output).rejects)])
    torch.set_num_threads(1)  # the same answers to the last digit, however many processes give them
    classifier = load_in_dtype(model, dtype)
    if report is not None and classifier.task == "regression":
        raise ConfigError(f"--report is for models of labels; {classifier.name!r} answers with a number")
    if abstain is not None:
        settings = replace(settings, threshold=read_threshold(abstain, classifier))
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
        print_summary(summary)
    return summary.rejected


def score_to_pipe(
    model: Path, dtype: str, inputs: list[str], settings: "ScoringSettings", abstain: float | None
) -> int:
    """Score a pipe and return the number of rejected rows."""
    from sentiment.scoring import pipe

    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output"), (sys.stderr, "error")):
        if stream is None:
            raise DataError(f"-: standard {name} is closed; rows come and go through it")
    try:
        classifier = load_in_dtype(model, dtype)
        if abstain is not None:
            settings = replace(settings, threshold=read_threshold(abstain, classifier))
        output, rejects = sys.stdout.buffer, sys.stderr.buffer
        _, rejected = pipe.score_to_pipe(classifier, inputs, sys.stdin.fileno(), output, rejects, settings)
    except BrokenPipeError:
        discard_output()  # or Python would complain at its exit
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        discard_output()
        raise DataError(f"-: {error.strerror}; the output is incomplete; run it again") from None
    return rejected
