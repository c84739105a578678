"""Workers of one gunicorn together: their figures, the reloads of their models, and what is left when one dies.

The tests share a service of two workers, and each leaves it as it found it: two workers with the first model.
"""

import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

import sentiment
from sentiment import bundle as bundles
from service.access import api_keys
from tests.conftest import MakeBundle
from tests.service.conftest import WAIT_SECONDS, Server, wait_for

RELOADS = 50

Sample = tuple[str, tuple[tuple[str, str], ...]]


class Running:
    """A service over a folder that the test may replace, and a key for all of it."""

    def __init__(self, workers: int, work: Path, make_bundle: MakeBundle) -> None:
        key, line = api_keys.make("operator", ["admin", "metrics", "predict"])
        (work / "keys").write_text(line)
        self.workers = workers
        self.folder = work / "model"
        self.bundles = [make_bundle(seed=seed) for seed in (0, 1)]
        self.versions = [bundles.save(bundle, work / f"seed-{seed}") for seed, bundle in enumerate(self.bundles)]
        shutil.copytree(work / "seed-0", self.folder)
        self.headers = {"Authorization": f"Bearer {key}"}
        environment = {"SENTIMENT_MODEL": str(self.folder), "SENTIMENT_API_KEYS_FILE": str(work / "keys")}
        self.server = Server(environment | {"SENTIMENT_DRAIN_SECONDS": "0", "WORKERS": str(workers)})

    def wait_until_ready(self) -> "Running":
        """Return itself once every worker serves: none still reads the folder that a test is about to spoil."""
        self.server.wait_until_ready()
        wait_for(lambda: self.starts() == self.workers)
        return self

    def starts(self) -> int:
        """Return how many workers have begun to serve so far, the dead ones among them."""
        return self.server.log.count(" serves")

    def predict(self, content: object, path: str = "/v1/predict") -> requests.Response:
        """Return the answer, asked for on a connection of its own."""
        return self.server.post(path, json=content, headers=self.headers)

    def ask(self, session: requests.Session | None = None) -> dict[str, object]:
        """Return the answer to two texts, asked for on a connection of its own or of the session."""
        asked = (session or requests).post(
            f"{self.server.url}/v1/predict", json={"texts": ["good", "bad"]}, headers=self.headers, timeout=WAIT_SECONDS
        )
        assert asked.status_code == 200, asked.text
        answer: dict[str, object] = asked.json()
        return answer

    def reload(self) -> requests.Response:
        """Return the answer of /admin/reload, asked again while the worker still follows another's reload."""
        answers: list[requests.Response] = []

        def is_answered() -> bool:
            answers.append(self.server.post("/admin/reload", headers=self.headers))
            return answers[-1].status_code != 409

        wait_for(is_answered)
        return answers[-1]

    def figures(self) -> dict[Sample, float]:
        """Return what /metrics shows, of all workers."""
        response = self.server.get("/metrics", headers=self.headers)
        assert response.headers["Content-Type"].startswith("text/plain")
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(response.text)
            for sample in family.samples
        }

    def versions_shown(self) -> set[str]:
        """Return the models' versions that /metrics shows as serving, in any worker."""
        return {
            dict(labels)["version"]
            for (name, labels), value in self.figures().items()
            if name == "sentiment_model" and value == 1
        }

    def wait_until_all_serve(self, version: str) -> None:
        """Wait for 20 answers of this version in a row: a new connection goes to either worker, so they met both."""
        in_a_row = 0

        def have_all_answered() -> bool:
            nonlocal in_a_row
            in_a_row = in_a_row + 1 if self.ask()["model"] == {"name": "tiny", "version": version} else 0
            return in_a_row == 20

        wait_for(have_all_answered)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, make_bundle: MakeBundle) -> Iterator[Running]:
    running = Running(2, tmp_path_factory.mktemp("two-workers"), make_bundle)
    try:
        yield running.wait_until_ready()
    finally:
        running.server.stop()


@pytest.fixture
def running_alone(tmp_path: Path, make_bundle: MakeBundle) -> Iterator[Running]:
    """A service of the test's own, of one worker."""
    running = Running(1, tmp_path, make_bundle)
    try:
        yield running.wait_until_ready()
    finally:
        running.server.stop()


def of(figures: dict[Sample, float], name: str, **labels: str) -> float:
    return figures.get((name, tuple(sorted(labels.items()))), 0.0)


def corrupt(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


def test_figures_are_of_all_workers(running: Running) -> None:
    before = running.figures()
    for _ in range(30):  # each on a connection of its own: both workers get some
        running.predict({"texts": ["good", "zyzzyva bad"]})
    running.predict({"text": ""})
    running.predict({}, "/nowhere")
    # The ends of requests come after their answers.
    timed = of(before, "sentiment_request_seconds_count", route="/v1/predict") + 31
    wait_for(lambda: of(running.figures(), "sentiment_request_seconds_count", route="/v1/predict") == timed)
    after = running.figures()

    def grown(name: str, **labels: str) -> float:
        return of(after, name, **labels) - of(before, name, **labels)

    route = {"method": "POST", "route": "/v1/predict"}
    assert grown("sentiment_requests_total", **route, status="200") == 30
    assert grown("sentiment_requests_total", **route, status="422") == 1
    assert grown("sentiment_requests_total", method="POST", route="none", status="404") == 1
    assert grown("sentiment_request_seconds_bucket", route="/v1/predict", le="+Inf") == 31
    assert {dict(labels)["le"] for name, labels in after if name == "sentiment_request_seconds_bucket"} == {
        "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf"
    }  # fmt: skip
    assert grown("sentiment_texts_total", model="default") == 60
    assert grown("sentiment_tokens_total", model="default") == 90
    assert grown("sentiment_tokens_unknown_total", model="default") == 30
    assert grown("sentiment_texts_truncated_total", model="default") == 0
    labels = [labels for name, labels in after if name == "sentiment_labels_total"]
    assert sum(grown("sentiment_labels_total", **dict(each)) for each in labels) == 60
    assert 20 < grown("sentiment_confidence_total", model="default") < 60
    assert grown("sentiment_batch_rows_sum") == 60
    assert grown("sentiment_batch_tokens_sum") == 90
    assert grown("sentiment_queue_wait_seconds_count") > 0
    assert 1 <= of(after, "sentiment_requests_in_flight") <= 2  # the scrape itself, perhaps one before
    assert of(after, "sentiment_model", model="default", version=running.versions[0]) == 1


def test_a_reload_reaches_all_workers_and_a_bad_bundle_none(running: Running) -> None:
    old, new = running.versions
    assert running.reload().json() == {"models": [{"name": "default", "previous": old, "version": old}]}
    assert running.versions_shown() == {old}
    bundles.save(running.bundles[1], running.folder)
    assert running.reload().json() == {"models": [{"name": "default", "previous": old, "version": new}]}
    wait_for(lambda: running.versions_shown() == {new})  # without a prediction of either worker
    running.wait_until_all_serve(new)

    corrupt(running.folder)
    refused = running.reload()
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:sentiment:problem:model-refused")
    assert refused.json()["detail"].startswith("model bundle refused: weights.safetensors: sha256 is ")
    assert refused.json()["detail"].endswith("it was altered. Nothing was changed.")
    running.wait_until_all_serve(new)

    workers, logged = running.server.worker_pids, len(running.server.log)
    os.kill(running.server.process.pid, signal.SIGHUP)
    wait_for(lambda: running.server.log[logged:].count("reload refused, the old models keep serving") == 2)
    running.wait_until_all_serve(new)
    assert running.server.worker_pids == workers

    bundles.save(running.bundles[0], running.folder)
    os.kill(workers[0], signal.SIGHUP)
    running.wait_until_all_serve(old)


def test_a_killed_worker_is_replaced_and_its_figures_stay(running: Running) -> None:
    for _ in range(30):  # both workers get some
        running.ask()
    before, starts, killed = running.figures(), running.starts(), running.server.worker_pids[0]
    os.kill(killed, signal.SIGKILL)
    running.ask()  # by the other
    wait_for(lambda: len(set(running.server.worker_pids) - {killed}) == running.workers)
    wait_for(lambda: running.starts() == starts + 1)
    after = running.figures()
    asked = of(after, "sentiment_texts_total", model="default") - of(before, "sentiment_texts_total", model="default")
    assert asked == 2
    assert 1 <= of(after, "sentiment_requests_in_flight") <= 2  # the scrape itself, perhaps one before
    running.wait_until_all_serve(running.versions[0])


@pytest.mark.slow
def test_a_worker_that_dies_over_a_bad_bundle_does_not_end_the_service(running: Running) -> None:
    old, new = running.versions
    starts, logged = running.starts(), len(running.server.log)
    corrupt(running.folder)
    os.kill(running.server.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: running.server.log[logged:].count("this worker can't start: model bundle refused") == 2)
    running.wait_until_all_serve(old)
    bundles.save(running.bundles[1], running.folder)
    assert running.reload().status_code == 200
    running.wait_until_all_serve(new)
    wait_for(lambda: running.starts() == starts + 1)
    assert len(running.server.worker_pids) == running.workers
    bundles.save(running.bundles[0], running.folder)
    assert running.reload().status_code == 200
    running.wait_until_all_serve(old)


@pytest.mark.slow
def test_reloads_under_load(running_alone: Running) -> None:
    running = running_alone
    expected = {
        version: sentiment.load(running.folder.parent / f"seed-{seed}").predict(["good", "bad"])
        for seed, version in enumerate(running.versions)
    }
    stop, wrong, asked = threading.Event(), list[object](), [0]

    def client() -> None:
        with requests.Session() as session:
            while not stop.is_set():
                answer = running.ask(session)
                asked[0] += 1
                model, found = answer["model"], answer["predictions"]
                assert isinstance(model, dict)
                assert isinstance(found, list)
                for prediction, right in zip(found, expected[model["version"]], strict=True):
                    if prediction["probabilities"] != pytest.approx(right.probabilities, abs=1e-5):
                        wrong.append(answer)

    clients = [threading.Thread(target=client) for _ in range(2)]
    for thread in clients:
        thread.start()
    usage: list[list[tuple[int, int, int]]] = []
    for number in range(RELOADS):
        bundles.save(running.bundles[(number + 1) % 2], running.folder)
        reloaded = running.reload()
        assert reloaded.status_code == 200, reloaded.text
        if number >= RELOADS // 2:
            usage.append([usage_of(pid) for pid in running.server.worker_pids])
    stop.set()
    for thread in clients:
        thread.join(WAIT_SECONDS)
    assert asked[0] > RELOADS
    assert wrong == []
    for worker in zip(*usage, strict=True):
        threads, files, kibibytes = zip(*worker, strict=True)
        assert max(threads) == min(threads)
        assert max(files) - min(files) <= 8  # connections come and go
        assert kibibytes[-1] < 1.05 * kibibytes[0]


def usage_of(pid: int) -> tuple[int, int, int]:
    """Return the process's threads, open files and resident memory in KiB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return int(status["Threads"]), files, int(status["VmRSS"].split()[0])
