"""Score a file again and again, killed by SIGKILL at random moments, until it was killed KILLS times.

A job that was killed is resumed, and killed again, until it ends; its output must then have the bytes of an undisturbed
one. Every child is a fork of one process that has loaded the model. With PROCESSES above 1 the texts are answered by
others, which must end with their job; with an address, by the Ray cluster there. Prints how many jobs it took, or fails
with what differs.

    python -m tests.sentiment.scoring.kill_at_random MODEL INPUT FOLDER SUFFIX KILLS PROCESSES [RAY_ADDRESS]
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch

import sentiment
from sentiment.scoring import ScoringSettings, score
from sentiment.scoring.formats.arrow import files as table_files
from sentiment.scoring.formats.text import readers as text_readers
from sentiment.scoring.predict.engines import Engine, LocalEngine, ProcessEngine
from tests.sentiment.scoring.kill_everywhere import contents, end_of, in_a_fork, start_fork

SETTINGS = ScoringSettings(shard_rows=300)
torch.set_num_threads(1)  # a fork of a process with more may hang
text_readers.BATCH_ROWS = table_files.BATCH_ROWS = 128


def main(
    model: str, source: Path, folder: Path, suffix: str, kills: int, processes: int, address: str | None = None
) -> None:
    classifier = sentiment.load(model)
    target = folder / f"out{suffix}"
    rng = random.Random(0)

    def engine() -> Engine:
        if address is not None:
            from sentiment.scoring.predict.ray_engine import RayEngine

            return RayEngine(Path(model), classifier.version, address=address)
        if processes == 1:
            return LocalEngine(classifier)
        return ProcessEngine(Path(model), classifier.version, processes)

    def job() -> None:
        score(classifier, source, target, SETTINGS, engine=engine())

    started = time.monotonic()
    assert in_a_fork(job) == 0
    seconds = time.monotonic() - started
    expected = contents(folder)
    assert sorted(expected) == [target.name, f"{target.name}.rejects.jsonl"], sorted(expected)
    jobs = killed = 0
    while killed < kills:
        for path in folder.iterdir():
            path.unlink()
        ended = False
        while not ended:
            child = start_fork(job)
            time.sleep(rng.uniform(0, seconds) if killed < kills else 0)
            if killed < kills:
                os.kill(child, signal.SIGKILL)
            code = end_of(child)
            assert code in (0, -signal.SIGKILL), f"after {killed} kills: exit code {code}"
            ended = code == 0
            killed += not ended
            if target.exists():
                assert target.read_bytes() == expected[target.name], f"after {killed} kills: half an output"
        jobs += 1
        assert contents(folder) == expected, f"after {killed} kills: other bytes"
    print(json.dumps({"kills": killed, "jobs": jobs}))


if __name__ == "__main__":
    main(
        sys.argv[1],
        Path(sys.argv[2]),
        Path(sys.argv[3]),
        sys.argv[4],
        int(sys.argv[5]),
        int(sys.argv[6]),
        *sys.argv[7:],
    )
