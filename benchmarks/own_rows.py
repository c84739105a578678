"""Train on small tables of one's own, beside a linear model: `python -m benchmarks.own_rows --data DIR`.

DIR holds the Parquet tables that `make tables` reads. Each result is written when it is there: after a kill the same
command resumes. The results of each version of the package and of the default model have a folder of their own; after
another change of how models are trained give another --out.

`sentiment train` runs in a fresh process: its seconds are those that a person waits, with Python's start, and no
training depends on those before it. The linear model's seconds are those of fitting it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import sentiment
from benchmarks.own_rows_report import WAYS, Result, read_results, report
from benchmarks.own_rows_sets import SETS, Draw, OwnSet, read_set
from sentiment.classifier import AnyModel, Classifier, load
from sentiment.evaluation.answers import Floats
from sentiment.evaluation.metrics import figures
from sentiment.evaluation.regression import value_figures
from sentiment.storage.atomic import PartialFile
from sentiment.training.baselines import LinearModel

ROOT = Path(__file__).parents[1]
SIZES = (50, 200, 1000, 5000)
COMMAND = (sys.executable, "-m", "sentiment")
OPTIONS: dict[str, tuple[str, ...]] = {"nothing": ("--from", "nothing"), "chosen": ()}  # of the ways that train
FIGURES = {"classification": ("accuracy", "macro_recall", "ece"), "regression": ("pearson_r", "mae")}
MARKER = "<!-- python -m benchmarks.own_rows --table writes what follows -->\n"

Answer = Callable[[Sequence[str]], Floats]  # of N texts: a probability of each label, (N, C), or a number each, (N,)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what has no result yet, and print the table of all. Ends with 1 where a training failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    shipped = load()
    folder = options.out / f"{sentiment.__version__}-{shipped.version}"
    if options.table:
        before, marker, _ = options.table.read_text().partition(MARKER)
        if not marker:
            parser.error(f"--table: {options.table} has no line {MARKER.strip()!r}")
        options.table.write_text(f"{before}{marker}\n{report(read_results(folder))}")
        return
    if options.data is None:
        parser.error("--data: name the folder of the Parquet tables")
    folder.mkdir(parents=True, exist_ok=True)
    failures = measure(options, shipped, folder)
    print(report(read_results(folder)), end="")
    sys.exit(int(failures > 0))


def measure(options: argparse.Namespace, shipped: Classifier, folder: Path) -> int:
    """Write each result that the folder lacks, and return how many trainings failed."""
    failures = 0
    for name in options.sets:
        own, table = SETS[name], read_set(SETS[name], options.data)
        for size in options.sizes:
            for subset in range(options.subsets if size < table.available else 1):
                draw = table.draw(size, subset)
                for way in options.ways:
                    path = folder / f"{name}-{size}-{subset}-{way}.json"
                    if path.exists() or (way == "start" and not _is_covered(own, draw, shipped)):
                        continue
                    try:
                        found = measure_way(way, own, draw, shipped)
                    except subprocess.CalledProcessError as error:
                        print(f"{path.stem}: {error}\n{error.stderr}", file=sys.stderr, flush=True)
                        failures += 1
                        continue
                    result = Result(name, size, len(draw.train), subset, way, len(draw.judged), **found)
                    with PartialFile(path) as partial:
                        partial.file.write(json.dumps(asdict(result), indent=1).encode())
                        partial.publish()
                    print(result.line, flush=True)
    return failures


def _is_covered(own: OwnSet, draw: Draw, shipped: Classifier) -> bool:
    return own.language == shipped.text_config.language and set(draw.labels) <= set(shipped.labels)


def measure_way(way: str, own: OwnSet, draw: Draw, shipped: Classifier) -> dict[str, Any]:
    """Return the figures of one way on the judged rows, its seconds, and what a trained model's folder says of it.

    Raises CalledProcessError for a training that fails.
    """
    started = time.perf_counter()
    comparison = None
    if way in OPTIONS:
        model = train(own, draw, OPTIONS[way])
        answer, comparison = _answers_of(model, draw.labels), model.metrics.get("comparison")
    elif way == "start":
        answer = _answers_of(shipped, draw.labels)
    else:
        answer = (fit_linear if way == "linear" else fit_majority)(own, draw)
    seconds = time.perf_counter() - started
    judged = judge(own, draw, answer(draw.judged["text"].to_list()))
    return {
        "figures": judged,
        "seconds": seconds,
        "total_seconds": time.perf_counter() - started,
        "comparison": comparison,
    }


def train(own: OwnSet, draw: Draw, options: Sequence[str]) -> AnyModel:
    """Return the model that `sentiment train` writes for the rows. Raises CalledProcessError if it fails."""
    if own.language != "en":
        options = (*options, "--language", own.language)
    if own.task != "classification":
        options = (*options, "--task", own.task)
    with tempfile.TemporaryDirectory() as scratch:
        rows, model = f"{scratch}/rows.parquet", f"{scratch}/model"
        draw.train.write_parquet(rows)
        command = [*COMMAND, "train", rows, "--out", model, *options]
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
        return load(model, task=None)


def _answers_of(model: AnyModel, labels: Sequence[str]) -> Answer:
    if isinstance(model, Classifier):
        return lambda texts: np.array(
            [[each.probabilities.get(label, 0.0) for label in labels] for each in model.predict(texts)]  # (N, C)
        )
    return lambda texts: np.array([each.value for each in model.predict(texts)])  # (N,)


def fit_linear(own: OwnSet, draw: Draw) -> Answer:
    """Return the answers of the linear model of the drawn rows."""
    regression = own.task == "regression"
    model = LinearModel(draw.train["text"].to_list(), draw.train["label"].to_list(), regression=regression)
    return model.values if regression else partial(model.probabilities, labels=draw.labels)


def fit_majority(own: OwnSet, draw: Draw) -> Answer:
    """Return the answers of who knows only how often each label was drawn, or the numbers' mean."""
    labels = draw.train["label"].to_list()
    answer = (
        np.mean(labels) if own.task == "regression" else [labels.count(label) / len(labels) for label in draw.labels]
    )
    return lambda texts: np.array([answer] * len(texts))  # (N,) or (N, C)


def judge(own: OwnSet, draw: Draw, answers: Floats) -> dict[str, float]:
    """Return the figures of the answers to the judged rows."""
    true = draw.judged["label"].to_list()
    if own.task == "regression":
        found = value_figures(answers, np.array(true))
    else:
        targets = torch.tensor([draw.labels.index(label) for label in true])  # (N,)
        found = figures(torch.from_numpy(answers), targets, draw.labels)
    return {name: found[name] for name in FIGURES[own.task]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_rows", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="the folder of the Parquet tables")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=tuple(SETS))
    parser.add_argument("--sizes", type=int, nargs="+", metavar="ROWS", default=SIZES)
    parser.add_argument("--subsets", type=int, default=3, help="of each size; one where it takes all rows of a set")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "own-rows", help="the folder of the results")
    parser.add_argument(
        "--table", type=Path, metavar="PAGE", help="write the finished results into this page, and measure nothing"
    )
    return parser


if __name__ == "__main__":
    main()
