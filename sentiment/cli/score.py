"""Score files or a pipe."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import app
from sentiment.cli.engines import LOCAL, RAY, check_engine, local_engine, ray_engine
from sentiment.cli.scoring import check_report, score_to_files, score_to_pipe
from sentiment.cli.stopping import resuming, stopping_on_signals
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError
from sentiment.runtime import limit_onednn_cache


@app.command()
def score(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="IN... OUT",
            help="Input files, folders or globs, then the output file, or a folder with a final slash; "
            "- is standard input or output.",
        ),
    ],
    model: options.Model = DEFAULT_MODEL,
    text_column: options.TextColumn = "text",
    separator: options.Separator = None,
    columns: Annotated[str | None, typer.Option(help="Input columns to keep, as a,b; default: all.")] = None,
    prefix: Annotated[str, typer.Option(help="Prefix of the added columns, as predicted_.")] = "",
    top_only: Annotated[
        bool, typer.Option("--top-only", help="Add only the label and its probability, or the value.")
    ] = False,
    sentences: Annotated[
        bool, typer.Option("--sentences", help="Add the prediction of each sentence, and whether they disagree.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Reject texts that are too long to be read in full.")
    ] = False,
    threshold: Annotated[float, typer.Option(help="Probability below which the label is `uncertain`.")] = 0.0,
    abstain: options.Abstain = None,
    escape_formulas: Annotated[
        bool, typer.Option(help="In CSV, put an apostrophe before cells that a spreadsheet would run.")
    ] = True,
    max_rejects: Annotated[
        int | None, typer.Option(min=0, help="Stop when more than this many rows are rejected.")
    ] = None,
    shard_rows: Annotated[int | None, typer.Option(min=1, help="Number of rows between checkpoints.")] = None,
    dtype: Annotated[
        str, typer.Option(help="float32, or bfloat16, whose probabilities differ by up to 0.05.")
    ] = "float32",
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Number of processes; default: one a core for large files."),
    ] = None,
    engine: Annotated[str, typer.Option(help="`local` processes, or a `ray` cluster.")] = LOCAL,
    ray_address: Annotated[
        str | None, typer.Option(help="HOST:PORT of a Ray cluster, or auto; default: a cluster on this machine.")
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Start again instead of resuming.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="HTML report to write, with shares, histograms and drift.")
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Add the label and its probabilities to every row of files.

    After a crash, the same command resumes and writes the same bytes.
    """
    if len(paths) < 2:
        raise ConfigError("give an input and an output, as in: sentiment score comments.csv scored.csv")
    if abstain is not None and threshold:
        raise ConfigError("--threshold and --abstain both say when to be uncertain: give one")
    check_engine(engine, ray_address, processes)
    if report is not None:
        check_report(report)
    limit_onednn_cache()
    *inputs, output = paths
    with stopping_on_signals("" if output == "-" else resuming(restart=restart)):
        from sentiment.scoring import ScoringSettings
        from sentiment.scoring.settings import SHARD_ROWS

        settings = ScoringSettings(
            text_column=text_column,
            columns=None if columns is None else [name for name in columns.split(",") if name],
            separator=separator,
            prefix=prefix,
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
            rejected = score_to_pipe(model, dtype, inputs, settings, abstain)
        else:
            starting = partial(ray_engine, ray_address) if engine == RAY else local_engine
            rejected = score_to_files(
                model,
                dtype,
                inputs,
                output,
                settings,
                abstain,
                begin=partial(starting, processes, model),
                max_rejects=max_rejects,
                restart=restart,
                report=report,
                as_json=as_json,
            )
    if rejected:
        sys.exit(1)
