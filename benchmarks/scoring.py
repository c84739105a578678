"""Files to files beside other sentiment tools: `python -m benchmarks.scoring`.

Each contender reads a CSV file of texts and writes one with an answer a row. Its model is in memory before the clock
starts; contenders take turns, and the figures are medians. The peers live in an environment of their own: `make
bench-peers`, then `--peers`. A slow peer is given the first rows only, as many as `SHARES` says: its speed is the same.
"""

import argparse
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.timing import Row
from benchmarks.workloads import review_lengths, sentence_lengths, written_texts
from sentiment.classifier import Classifier, load
from sentiment.default import DEFAULT_MODEL
from sentiment.nn.precision import DTYPES
from sentiment.scoring import score
from sentiment.scoring.predict.engines import Engine, LocalEngine, ProcessEngine

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "peers" / "bin"
SHARES = {  # of the rows that a peer is given
    "vader": 0.1,
    "textblob": 0.05,
    "spacy textcat": 0.1,
    "fasttext": 1.0,
    "distilbert int8": 0.01,
    "distilbert torch": 0.01,
}
LIMIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Contender:
    """A way from a file to a file, and how many of the rows it is given."""

    name: str
    processes: int
    share: float = 1.0


class StagesEngine(LocalEngine):
    """Answers here, and keeps the seconds of each stage."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__(classifier)
        self.seconds = {"tokenize": 0.0, "model": 0.0}
        encode, classify = classifier.encode, classifier.classify
        classifier.encode = partial(self._timed, "tokenize", encode)  # type: ignore[method-assign]
        classifier.classify = partial(self._timed, "model", classify)  # type: ignore[method-assign]

    def _timed(self, stage, function, argument):  # type: ignore[no-untyped-def]
        started = time.perf_counter()
        try:
            return function(argument)
        finally:
            self.seconds[stage] += time.perf_counter() - started


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        rows, stages = measure(options, Path(folder))
    setting = {
        "model": str(options.model),
        "dtypes": options.dtypes,
        "short_texts": options.texts,
        "long_reviews": options.reviews,
        "repeats": options.repeats,
        "torch": torch.__version__,
        "processor_units": torch.backends.cpu.get_cpu_capability(),
    }
    if options.json:
        print(json.dumps({"setting": setting, "scoring": rows, "stages": stages}, indent=1))
        return
    console = Console()
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items()), highlight=False)
    console.print(_table("Files to files (the aim: 40 times DistilBERT's best, and ahead of VADER)", rows))
    console.print(_table("Where the time goes, in one process (the aim: tokenize at most half)", stages))


def measure(options: argparse.Namespace, folder: Path) -> tuple[list[Row], list[Row]]:
    """Return a row for each workload and contender, and one for each workload with the share of each stage."""
    classifiers = {dtype: load(options.model, dtype=dtype).warm() for dtype in options.dtypes}
    first = classifiers[options.dtypes[0]]
    rng = random.Random(0)
    workloads = {
        "short texts": written_texts(first.vocabulary, sentence_lengths(options.texts, rng), rng),
        "long reviews": written_texts(first.vocabulary, review_lengths(options.reviews, rng), rng),
    }
    rows: list[Row] = []
    stages: list[Row] = []
    with ExitStack() as open_engines:
        engines = {
            Contender(f"sentiment, {dtype}", processes): (
                classifier,
                open_engines.enter_context(_engine(options.model, classifier, processes)),
            )
            for dtype, classifier in classifiers.items()
            for processes in (1, 2)
        }
        for workload, texts in workloads.items():
            source = folder / f"{workload.replace(' ', '_')}.csv"
            _write(source, texts)
            seconds: dict[Contender, list[float]] = {}
            for counted in (False, *[True] * options.repeats):  # every process has its model after the first round
                for contender, (classifier, engine) in engines.items():
                    spent = _score(classifier, engine, source, folder / "out.csv")
                    if counted:
                        seconds.setdefault(contender, []).append(spent)
            if options.peers:
                seconds |= _peer_seconds(options, source, len(texts), folder)
            rows += _rows(workload, texts, first, seconds)
            stages.append({"workload": workload, **_stage_shares(options, source, folder)})
    return rows, stages


def _rows(
    workload: str, texts: Sequence[str], classifier: Classifier, seconds: dict[Contender, list[float]]
) -> list[Row]:
    tokens = [len(encoded.token_ids) for encoded in classifier.encode(texts)]
    speeds = {
        contender: max(1, round(len(texts) * contender.share)) / statistics.median(times)
        for contender, times in seconds.items()
    }
    best = max((speed for contender, speed in speeds.items() if "distilbert" in contender.name), default=None)
    vader = max((speed for contender, speed in speeds.items() if contender.name == "vader"), default=None)
    mean_tokens = sum(tokens) / len(tokens)
    return [
        {
            "workload": workload,
            "contender": contender.name,
            "processes": contender.processes,
            "texts_per_second": speed,
            "tokens_per_second": speed * mean_tokens,
            **({} if best is None else {"times_distilbert": speed / best}),
            **({} if vader is None else {"times_vader": speed / vader}),
        }
        for contender, speed in speeds.items()
    ]


@contextmanager
def _engine(model: Path, classifier: Classifier, processes: int) -> Iterator[Engine]:
    engine: Engine = (
        LocalEngine(classifier)
        if processes == 1
        else ProcessEngine(model, classifier.version, processes, dtype=classifier.dtype)
    )
    with closing(engine):
        yield engine


def _score(classifier: Classifier, engine: Engine, source: Path, target: Path) -> float:
    started = time.perf_counter()
    score(classifier, source, target, engine=engine)
    return time.perf_counter() - started


def _stage_shares(options: argparse.Namespace, source: Path, folder: Path) -> Row:
    classifier = load(options.model, dtype=options.dtypes[0]).warm()
    engine = StagesEngine(classifier)
    total = _score(classifier, engine, source, folder / "out.csv")
    return {
        **{stage: spent / total for stage, spent in engine.seconds.items()},
        "read_and_write": 1 - sum(engine.seconds.values()) / total,
    }


def _peer_seconds(options: argparse.Namespace, source: Path, rows: int, folder: Path) -> dict[Contender, list[float]]:
    seconds: dict[Contender, list[float]] = {}
    for name, share in SHARES.items():
        for processes in (1, 2):
            count = max(1, round(rows * share))
            command = [str(options.peers / "python"), "-m", "benchmarks.scoring_peers", name]
            command += [
                str(source),
                str(folder / "peer.csv"),
                str(count),
                str(processes),
                str(options.repeats),
                str(options.model),
            ]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False, env=environment
            )
            if done.returncode:
                print(f"{name}: left out: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
                continue
            seconds[Contender(name, processes, count / rows)] = json.loads(done.stdout.splitlines()[-1])
    return seconds


def _write(path: Path, texts: Sequence[str]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(enumerate(texts))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--repeats", type=int, default=3, help="counted rounds")
    parser.add_argument("--texts", type=int, default=100_000, help="short texts")
    parser.add_argument("--reviews", type=int, default=5_000, help="long reviews")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    parser.add_argument("--dtypes", nargs="+", choices=DTYPES, default=list(DTYPES), help="of the model")
    parser.add_argument("--peers", type=Path, nargs="?", const=PEERS, help="measure the peers of this environment, too")
    return parser


def _table(title: str, rows: Sequence[Row]) -> Table:
    table = Table(title=title, title_justify="left")
    columns = list(dict.fromkeys(column for row in rows for column in row))
    for column in columns:
        table.add_column(column.replace("_", " "), justify="left" if isinstance(rows[0][column], str) else "right")
    for row in rows:
        table.add_row(*(_figure(column, row.get(column, "")) for column in columns))
    return table


def _figure(column: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    if column in ("tokenize", "model", "read_and_write"):
        return f"{value:.1%}"
    return f"{value:,.1f}" if value < 1000 and column != "processes" else f"{value:,.0f}"


if __name__ == "__main__":
    main()
