"""Memory and speed over a long scoring job: `python -m benchmarks.scoring_memory --rows 10000000`.

A file of generated rows is scored into another, and resident memory of all processes together is sampled on the way:
pages that several share count for each. The first tenth of the job beside the last must be the same within 5 %, the
peak under 2 GiB, and the rows a second of the last tenth no less than nine tenths of the first's.
"""

import argparse
import csv
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks.soak import resident_bytes
from benchmarks.workloads import sentence_lengths, written_texts
from sentiment.classifier import load
from sentiment.default import DEFAULT_MODEL
from sentiment.scoring import Progress, score
from sentiment.scoring.predict.engines import ProcessEngine
from sentiment.text.vocabulary import Vocabulary

DISTINCT_TEXTS = (
    50_000  # then they come again: more than the batches under way hold, where equal ones are answered once
)
WARM_UP_SHARE = 0.02  # of the samples: until each process has its model
MAX_DRIFT = 0.05
MAX_PEAK_BYTES = 2 << 30
MIN_SPEED_SHARE = 0.9


@dataclass(frozen=True)
class Sample:
    """The state of a job at one moment."""

    seconds: float
    rows: int  # so far
    resident_bytes: int


@dataclass
class Sampler:
    """Keeps a sample at most each `interval_seconds` of a job in this process and those that it started."""

    interval_seconds: float
    resident: Callable[[], int]
    clock: Callable[[], float] = time.monotonic
    samples: list[Sample] = field(default_factory=list)

    def progress(self, progress: Progress) -> None:
        """Take a sample at each batch."""
        now = self.clock()
        if progress.rows and (not self.samples or now - self.samples[-1].seconds >= self.interval_seconds):
            self.samples.append(Sample(now, progress.rows, self.resident()))


def figures(samples: Sequence[Sample]) -> dict[str, Any]:
    """Summarise the samples. Raises ValueError for fewer than 4, too few to compare first and last."""
    steady = samples[int(len(samples) * WARM_UP_SHARE) :]
    if len(steady) < 4:
        raise ValueError(f"{len(samples)} samples say nothing of first and last: score more rows")
    tenth = max(2, len(steady) // 10)
    first, last = steady[:tenth], steady[-tenth:]
    resident = [statistics.median(each.resident_bytes for each in part) for part in (first, last)]
    speeds = [(part[-1].rows - part[0].rows) / (part[-1].seconds - part[0].seconds) for part in (first, last)]
    return {
        "samples": len(samples),
        "resident_mib": [round(each / 2**20, 1) for each in resident],
        "memory_drift": round(resident[1] / resident[0] - 1, 4),
        "peak_mib": round(max(each.resident_bytes for each in samples) / 2**20, 1),
        "rows_per_second": [round(speed) for speed in speeds],
        "speed_share": round(speeds[1] / speeds[0], 3),
    }


def holds(found: dict[str, Any]) -> bool:
    """Return whether memory and speed are as they must be."""
    return (
        abs(found["memory_drift"]) <= MAX_DRIFT
        and found["peak_mib"] * 2**20 < MAX_PEAK_BYTES
        and found["speed_share"] >= MIN_SPEED_SHARE
    )


def write_rows(path: Path, rows: int, vocabulary: Vocabulary) -> None:
    """Write a CSV file of so many numbered rows."""
    rng = random.Random(0)
    texts = written_texts(vocabulary, sentence_lengths(min(rows, DISTINCT_TEXTS), rng), rng)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows((row, texts[row % len(texts)]) for row in range(rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured. Ends with 1 where memory or speed is not as it must be."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(1)
    classifier = load(options.model)
    sampler = Sampler(options.interval_seconds, lambda: resident_bytes(os.getpid()))
    with tempfile.TemporaryDirectory(dir=options.scratch) as folder:
        source, target = Path(folder) / "in.csv", Path(folder) / "out.csv"
        write_rows(source, options.rows, classifier.vocabulary)
        with closing(ProcessEngine(options.model, classifier.version, options.processes)) as engine:
            summary = score(classifier, source, target, on_progress=sampler.progress, engine=engine)
    found = {
        "rows": summary.rows,
        "processes": options.processes,
        "seconds": round(summary.seconds, 1),
        **figures(sampler.samples),
    }
    print(json.dumps(found))
    sys.exit(int(not holds(found)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scoring_memory", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--processes", type=int, default=2, help="that hold the model, besides the one that reads")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    parser.add_argument("--interval-seconds", type=float, default=1.0, help="between two samples, at least")
    parser.add_argument("--scratch", type=Path, help="a folder for the files, a few hundred bytes a row")
    return parser


if __name__ == "__main__":
    main()
