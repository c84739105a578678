"""A long run of mixed traffic, each answer checked: `python -m benchmarks.soak --minutes 15`.

The first response that is not what it should be ends the run with its body. Health must be answered within a second
throughout. The service's memory must not grow: resident memory of all its processes, the median of the first tenth
after warming up beside that of the last.
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

from benchmarks.responses import ANSWER_SECONDS, LoadError, UnexpectedResponse, check_predictions, is_prediction
from benchmarks.servers import family, free_port, ours, running
from benchmarks.workloads import bundle_to_measure, generated_texts, real_texts
from sentiment import bundle as bundles
from sentiment.classifier import Classifier, Prediction
from sentiment.default import DEFAULT_MODEL

SERVER = "this service"
CLIENTS = 8
WARM_UP_SHARE = 0.1
SAMPLE_SECONDS = 1.0
MAX_HEALTH_SECONDS = 1.0
TOLERANCE = 1e-5  # of a probability, alone beside in any batch
BAD_BODIES = (b"", b"{", b"[]", b'{"texts": []}', b'{"text": 1}', b'{"text": "\\ud800"}', b"\xff")


class Client(threading.Thread):
    """Asks one thing after the other until `stop` is set, which it sets itself where a response is wrong."""

    def __init__(self, url: str, expected: Sequence[tuple[str, Prediction]], stop: threading.Event, seed: int) -> None:
        super().__init__(daemon=True)
        self.counted: Counter[str] = Counter()
        self.error: Exception | None = None
        self._url = f"{url}/v1/predict"
        self._expected = expected
        self._stop_asking = stop
        self._random = random.Random(seed)

    def run(self) -> None:
        """Keep what ends it early as `error`."""
        try:
            with requests.Session() as session:
                while not self._stop_asking.is_set():
                    ask = self._random.choices((self._ask_list, self._ask_lines, self._ask_badly), (8, 1, 1))[0]
                    ask(session)
                    self.counted["requests"] += 1
        except requests.RequestException as error:
            self.error = LoadError(f"{SERVER}: {error}")
        except Exception as error:
            self.error = error
        finally:
            self._stop_asking.set()

    def _some(self) -> list[tuple[str, Prediction]]:
        return self._random.choices(self._expected, k=self._random.choice((1, 1, 1, 1, 4, 32)))

    def _ask_list(self, session: requests.Session) -> None:
        some = self._some()
        response = session.post(self._url, json={"texts": [text for text, _ in some]}, timeout=ANSWER_SECONDS)
        self._check(response, some, check_predictions(SERVER, response, len(some)))

    def _ask_lines(self, session: requests.Session) -> None:
        some = self._some()
        lines = "".join(json.dumps({"text": text}) + "\n" for text, _ in some).encode()
        headers = {"Content-Type": "application/x-ndjson"}
        response = session.post(self._url, data=lines, headers=headers, timeout=ANSWER_SECONDS)
        try:
            found = [json.loads(line)["predictions"][0] for line in response.iter_lines()]
        except (ValueError, LookupError, TypeError):  # no JSON, or not of this form
            found = []
        self._check(response, some, found)

    def _ask_badly(self, session: requests.Session) -> None:
        body, headers = self._random.choice(BAD_BODIES), {"Content-Type": "application/json"}
        response = session.post(self._url, data=body, headers=headers, timeout=ANSWER_SECONDS)
        if not 400 <= response.status_code < 500:
            raise UnexpectedResponse(SERVER, response.status_code, response.text)
        self.counted["refused as expected"] += 1

    def _check(
        self, response: requests.Response, some: Sequence[tuple[str, Prediction]], found: Sequence[object]
    ) -> None:
        """Raise UnexpectedResponse unless the predictions found are those of the texts."""
        is_right = (
            response.status_code == 200
            and len(found) == len(some)
            and all(_is_right(each, right) for each, (_, right) in zip(found, some, strict=True))
        )
        if not is_right:
            raise UnexpectedResponse(SERVER, response.status_code, response.text)
        self.counted["texts"] += len(some)


def _is_right(found: object, right: Prediction) -> bool:
    return (
        is_prediction(found)
        and found["tokens"] == right.tokens
        and all(abs(found["probabilities"][label] - value) <= TOLERANCE for label, value in right.probabilities.items())
    )


def resident_bytes(pid: int) -> int:
    """Return the resident memory of the process and its descendants."""
    pages = 0
    for member in family(pid):
        with suppress(OSError):  # it ended meanwhile
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def time_health(url: str) -> float:
    """Return how many seconds an answer to the health check takes. Raises UnexpectedResponse for another than 200."""
    begun = time.monotonic()
    response = requests.get(f"{url}/health/ready", timeout=ANSWER_SECONDS)
    if response.status_code != 200:
        raise UnexpectedResponse(SERVER, response.status_code, response.text)
    return time.monotonic() - begun


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was counted. Ends with an error at a wrong response, with 1 for memory that grew or slow health."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        bundle = bundle_to_measure(options.model)
        model = Path(scratch) / "model"
        bundles.save(bundle, model)
        texts = real_texts(options.data) if options.data else generated_texts(bundle.vocabulary)
        asked = [text for some in texts.values() for text in some][:2000]
        expected = list(zip(asked, Classifier(bundle).predict(asked), strict=True))
        port = free_port()
        stop = threading.Event()
        clients = [Client(f"http://127.0.0.1:{port}", expected, stop, seed) for seed in range(CLIENTS)]
        with running(ours()[0], port, model) as pid:
            end = time.monotonic() + 60 * options.minutes
            for client in clients:
                client.start()
            samples, health_seconds = [], [0.0]
            while time.monotonic() < end and not stop.wait(SAMPLE_SECONDS):
                samples.append(resident_bytes(pid))
                health_seconds.append(time_health(f"http://127.0.0.1:{port}"))
            stop.set()
            for client in clients:
                client.join()
    for error in filter(None, (client.error for client in clients)):
        if isinstance(error, LoadError):
            sys.exit(str(error))
        raise error
    counted: Counter[str] = sum((client.counted for client in clients), Counter())
    steady = samples[int(len(samples) * WARM_UP_SHARE) :]
    tenth = max(1, len(steady) // 10)
    first, last = statistics.median(steady[:tenth]), statistics.median(steady[-tenth:])
    drift = last / first - 1
    figures = {
        **counted,
        "minutes": options.minutes,
        "resident MB": [round(first / 1e6, 1), round(last / 1e6, 1)],
        "drift": round(drift, 4),
        "slowest health check, seconds": round(max(health_seconds), 3),
    }
    print(json.dumps(figures))
    sys.exit(int(drift >= options.max_drift or max(health_seconds) >= MAX_HEALTH_SECONDS))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--data", type=Path, help="a folder of real texts; else they are generated")
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--max-drift", type=float, default=0.02, help="of the service's resident memory")
    return parser


if __name__ == "__main__":
    main()
