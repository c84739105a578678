"""A long run of mixed traffic, each answer checked: `python -m benchmarks.soak --minutes 15`.

The service must give no wrong answer and no 5xx, and its memory must not grow: resident memory of all its processes,
the median of the first tenth after warming up beside that of the last.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import requests

from benchmarks.servers import family, free_port, ours, running
from benchmarks.workloads import bundle_to_measure, generated_texts, real_texts
from sentiment import bundle as bundles
from sentiment.classifier import Classifier, Prediction
from sentiment.default import DEFAULT_MODEL

CLIENTS = 8
WARM_UP_SHARE = 0.1
SAMPLE_SECONDS = 1.0
TOLERANCE = 1e-5  # of a probability, alone beside in any batch
BAD_BODIES = (b"", b"{", b"[]", b'{"texts": []}', b'{"text": 1}', b'{"text": "\\ud800"}', b"\xff")


class Client(threading.Thread):
    """Asks one thing after the other, and counts what was wrong."""

    def __init__(self, url: str, expected: Sequence[tuple[str, Prediction]], end: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.counted: Counter[str] = Counter()
        self._url = url
        self._expected = expected
        self._end = end
        self._random = random.Random(seed)

    def run(self) -> None:
        with requests.Session() as session:
            while time.monotonic() < self._end:
                ask = self._random.choices((self._ask_list, self._ask_lines, self._ask_badly), (8, 1, 1))[0]
                ask(session)
                self.counted["requests"] += 1

    def _some(self) -> list[tuple[str, Prediction]]:
        return self._random.choices(self._expected, k=self._random.choice((1, 1, 1, 1, 4, 32)))

    def _ask_list(self, session: requests.Session) -> None:
        some = self._some()
        answer = session.post(f"{self._url}/v1/predict", json={"texts": [text for text, _ in some]}, timeout=60)
        if self._is_answered(answer):
            self._compare(some, answer.json()["predictions"])

    def _ask_lines(self, session: requests.Session) -> None:
        some = self._some()
        lines = "".join(json.dumps({"text": text}) + "\n" for text, _ in some).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        answer = session.post(f"{self._url}/v1/predict", data=lines, headers=headers, timeout=60)
        if self._is_answered(answer):
            found = [json.loads(line) for line in answer.iter_lines()]
            self._compare(some, [each["predictions"][0] for each in found])

    def _ask_badly(self, session: requests.Session) -> None:
        body, headers = self._random.choice(BAD_BODIES), {"Content-Type": "application/json"}
        answer = session.post(f"{self._url}/v1/predict", data=body, headers=headers, timeout=60)
        self.counted["refused as expected" if 400 <= answer.status_code < 500 else "wrong"] += 1

    def _is_answered(self, answer: requests.Response) -> bool:
        if answer.status_code != 200:
            self.counted["5xx" if answer.status_code >= 500 else "wrong"] += 1
        return answer.status_code == 200

    def _compare(self, some: Sequence[tuple[str, Prediction]], answers: Sequence[dict[str, object]]) -> None:
        self.counted["wrong"] += len(some) != len(answers)
        for (_, right), found in zip(some, answers, strict=False):
            probabilities = found["probabilities"]
            assert isinstance(probabilities, dict)
            far = max(abs(probabilities[label] - value) for label, value in right.probabilities.items())
            self.counted["wrong"] += far > TOLERANCE or found["tokens"] != right.tokens
            self.counted["texts"] += 1


def resident_bytes(pid: int) -> int:
    """Resident memory of the process and all it started."""
    pages = 0
    for member in family(pid):
        with suppress(OSError):  # it ended meanwhile
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what was counted. Ends with 1 if anything was wrong."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = bundle_to_measure(options.model)
        model = Path(scratch) / "model"
        bundles.save(bundle, model)
        texts = real_texts(options.data) if options.data else generated_texts(bundle.vocabulary)
        asked = [text for some in texts.values() for text in some][:2000]
        expected = list(zip(asked, Classifier(bundle).predict(asked), strict=True))
        port = free_port()
        with running(ours()[0], port, model) as pid:
            end = time.monotonic() + 60 * options.minutes
            clients = [Client(f"http://127.0.0.1:{port}", expected, end, seed) for seed in range(CLIENTS)]
            for client in clients:
                client.start()
            samples = []
            while time.monotonic() < end:
                time.sleep(SAMPLE_SECONDS)
                samples.append(resident_bytes(pid))
            for client in clients:
                client.join()
    counted: Counter[str] = sum((client.counted for client in clients), Counter())
    steady = samples[int(len(samples) * WARM_UP_SHARE) :]
    tenth = max(1, len(steady) // 10)
    first, last = statistics.median(steady[:tenth]), statistics.median(steady[-tenth:])
    drift = last / first - 1
    figures = {
        **counted,
        "wrong": counted["wrong"],
        "5xx": counted["5xx"],
        "minutes": options.minutes,
        "resident MB": [round(first / 1e6, 1), round(last / 1e6, 1)],
        "drift": round(drift, 4),
    }
    print(json.dumps(figures))
    sys.exit(int(bool(counted["wrong"] or counted["5xx"]) or drift >= options.max_drift))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--data", type=Path, help="a folder of real texts; else they are generated")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--max-drift", type=float, default=0.02, help="of the service's resident memory")
    return parser


if __name__ == "__main__":
    main()
