"""The core beside the textbook's way: `python -m benchmarks.core`. Medians of interleaved repeats, in one run."""

import argparse
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.prediction import STAGES, batch_bounds, predictions, stage_shares
from benchmarks.timing import Row
from benchmarks.training_step import training_steps
from benchmarks.workloads import bundle_to_measure, generated_texts, real_texts
from sentiment.bundle import Bundle
from sentiment.config import ModelConfig
from sentiment.default import DEFAULT_MODEL
from sentiment.nn.precision import bfloat16_units

STEP_CONFIG = ModelConfig(embedding_size=100, hidden_size=128)
BOUNDS = (4096, 8192, 16384, 32768, 65536, 131072)
TITLES = {
    "training_step": "A training step of N texts of up to T tokens (the aim: 20 times packed, in bfloat16)",
    "prediction": "Raw text to labels (the aim in float32: 6 times packed on sentences, 2.5 times on reviews)",
    "stages": "Where the time goes, in float32",
    "batch_bounds": "Tokens a second from encoded text to labels, by the bound on a batch's padded tokens",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    options = _parser().parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)

    def make_bundle() -> Bundle:
        return bundle_to_measure(options.model)

    bundle = make_bundle()
    texts = real_texts(options.data) if options.data else generated_texts(bundle.vocabulary)
    n, t = options.step
    workloads = {name: some[: options.texts] for name, some in texts.items()}
    setting = {
        "model": bundle.name,
        "parameters": bundle.model.num_parameters(),
        "vocabulary": len(bundle.vocabulary),
        **{name: getattr(bundle.model.config, name) for name in ("embedding_size", "hidden_size", "num_layers")},
        "texts": str(options.data or "generated"),
        "threads": torch.get_num_threads(),
        "bfloat16_units": bfloat16_units(),
        "torch": torch.__version__,
        "repeats": options.repeats,
    }
    measurements: dict[str, Callable[[], list[Row]]] = {
        "training_step": partial(training_steps, STEP_CONFIG, n, t, options.repeats),
        "prediction": partial(predictions, make_bundle, workloads, options.repeats),
        "stages": partial(stage_shares, make_bundle, workloads, options.repeats),
    }
    if options.bounds:
        measurements["batch_bounds"] = partial(batch_bounds, make_bundle, workloads, BOUNDS, options.repeats)
    if options.json:
        print(json.dumps({"setting": setting} | {name: measure() for name, measure in measurements.items()}, indent=1))
        return
    console = Console()
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items()), highlight=False)
    for name, measure in measurements.items():
        with console.status(TITLES[name]):
            rows = measure()
        console.print(_table(TITLES[name], rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.core", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--repeats", type=int, default=5, help="counted rounds of each measurement")
    parser.add_argument("--threads", type=int, help="of torch; else torch's own choice")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder; random weights without one")
    parser.add_argument("--data", type=Path, metavar="DIR", help="read sst_dev.parquet and imdb_train.parquet there")
    parser.add_argument("--texts", type=int, help="at most so many of each workload")
    parser.add_argument("--step", type=int, nargs=2, default=(64, 300), metavar=("N", "T"), help="of the training step")
    parser.add_argument("--bounds", action="store_true", help="compare bounds on a batch's padded tokens, too")
    return parser


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    for column, value in rows[0].items():
        named = isinstance(value, str)
        table.add_column(column.replace("_", " "), justify="left" if named else "right", no_wrap=named)
    for row in rows:
        table.add_row(*(_figure(column, value) for column, value in row.items()))
    return table


def _figure(column: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    if column in STAGES:
        return f"{value:.1%}"
    return f"{value:,.3f}" if column == "seconds" else f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


if __name__ == "__main__":
    main()
