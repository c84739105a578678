"""New bundles in place of old ones, in the process and in every worker of a real gunicorn."""

import copy
import hashlib
import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import pytest
import requests

import sentiment
from sentiment import bundle as bundles
from sentiment.classifier import AnyModel, Classifier
from sentiment.errors import BundleError
from service import master, models
from service.app import create_app
from service.batcher import Batcher
from service.errors import ModelRefused, ReloadRunning
from service.inference import Inference
from service.reload import Reloader
from service.settings import ServiceSettings
from tests.conftest import MakeBundle
from tests.service.conftest import WAIT_SECONDS, Server, StartServer

RELOADS = 50
KEY = "a key of the tests"


@pytest.fixture(scope="module")
def other_classifier(make_bundle: MakeBundle, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("other") / "tiny"
    bundles.save(make_bundle(seed=1), folder)
    return sentiment.load(folder)


@pytest.fixture
def inference(tiny_classifier: Classifier) -> Inference:
    return Inference(tiny_classifier, Batcher(max_batch_tokens=64, max_waiting_texts=64))


def test_what_was_swapped(inference: Inference, tiny_classifier: Classifier, other_classifier: Classifier) -> None:
    (swap,) = Reloader({"default": inference}, lambda: {"default": other_classifier}, master.reload_asked()).reload()
    assert (swap.name, swap.previous, swap.version) == ("default", tiny_classifier.version, other_classifier.version)
    answer = inference.predict(["good"])
    assert answer.model.version == other_classifier.version
    assert answer.found == other_classifier.predict(["good"])


def test_nothing_is_swapped_if_one_is_refused(inference: Inference, tiny_classifier: Classifier) -> None:
    def load() -> dict[str, Classifier]:
        raise BundleError("weights.safetensors", "is missing")

    reloader = Reloader({"default": inference}, load, master.reload_asked())
    for _ in range(2):
        with pytest.raises(ModelRefused, match=r"^model bundle refused: weights\.safetensors: is missing$"):
            reloader.reload()
    assert inference.classifier is tiny_classifier


def test_models_neither_come_nor_go(inference: Inference, other_classifier: Classifier) -> None:
    reloader = Reloader(
        {"default": inference}, lambda: {"default": other_classifier, "new": other_classifier}, master.reload_asked()
    )
    with pytest.raises(ModelRefused, match="^models come and go with a restart alone: new$"):
        reloader.reload()


def test_one_reload_at_a_time(inference: Inference, other_classifier: Classifier) -> None:
    loading, leave = threading.Event(), threading.Event()

    def load() -> dict[str, Classifier]:
        loading.set()
        assert leave.wait(WAIT_SECONDS)
        return {"default": other_classifier}

    reloader = Reloader({"default": inference}, load, master.reload_asked())
    thread = threading.Thread(target=reloader.reload)
    thread.start()
    assert loading.wait(WAIT_SECONDS)
    with pytest.raises(ReloadRunning):
        reloader.reload()
    leave.set()
    thread.join(WAIT_SECONDS)
    assert inference.classifier is other_classifier


def test_others_follow(inference: Inference, other_classifier: Classifier) -> None:
    reloader = Reloader({"default": inference}, lambda: {"default": other_classifier}, master.reload_asked())
    reloader.follow()
    master.ask_for_reload()
    wait_for(lambda: inference.classifier is other_classifier)


def test_what_is_asked_for_during_a_reload_is_followed(
    inference: Inference, tiny_classifier: Classifier, other_classifier: Classifier
) -> None:
    loading, leave, on_disk = threading.Event(), threading.Event(), [other_classifier]

    def load() -> dict[str, Classifier]:
        found = on_disk[0]
        loading.set()
        assert leave.wait(WAIT_SECONDS)
        return {"default": found}

    reloader = Reloader({"default": inference}, load, master.reload_asked())
    reloader.follow()
    thread = threading.Thread(target=reloader.reload)
    thread.start()
    assert loading.wait(WAIT_SECONDS)
    on_disk[0] = newest = copy.copy(tiny_classifier)
    master.ask_for_reload()
    leave.set()
    thread.join(WAIT_SECONDS)
    wait_for(lambda: inference.classifier is newest)


def test_what_is_asked_for_while_a_worker_starts_is_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_bundle: MakeBundle
) -> None:
    old = bundles.save(make_bundle(), tmp_path / "model")
    versions = [old]

    def load(model: Path, folder: Path | None) -> dict[str, AnyModel]:
        found = models.load(model, folder)
        if versions == [old]:
            versions.append(bundles.save(make_bundle(seed=1), model))
            master.ask_for_reload()
        return found

    monkeypatch.setattr("service.app.load", load)
    app = create_app(ServiceSettings(model=tmp_path / "model"))
    client = app.test_client()
    assert client.get("/health/ready").get_json()["model"]["version"] == old
    Reloader.of(app).follow()
    wait_for(lambda: client.get("/health/ready").get_json()["model"]["version"] == versions[-1])


def wait_for(condition: Callable[[], bool]) -> None:
    end = monotonic() + WAIT_SECONDS
    while not condition():
        assert monotonic() < end
        threading.Event().wait(0.01)


class Running:
    """A service over a folder that the test may replace, and a key for all of it."""

    def __init__(self, start: StartServer, workers: int, folder: Path, work: Path, make_bundle: MakeBundle) -> None:
        keys = work / "keys"
        keys.write_text(f"operator admin,metrics,predict {hashlib.sha256(KEY.encode()).hexdigest()}\n")
        self.folder = work / "model"
        shutil.copytree(folder, self.folder)
        self.bundles = [make_bundle(seed=seed) for seed in (0, 1)]
        self.versions = [bundles.save(bundle, work / f"seed-{seed}") for seed, bundle in enumerate(self.bundles)]
        self.headers = {"Authorization": f"Bearer {KEY}"}
        environment = {"SENTIMENT_MODEL": str(self.folder), "SENTIMENT_API_KEYS_FILE": str(keys)}
        self.server: Server = start(**environment, SENTIMENT_DRAIN_SECONDS="0", WORKERS=str(workers)).wait_until_ready()
        wait_for(lambda: self.server.log.count(" serves") == workers)  # else the test may spoil what one still reads

    def ask(self, session: requests.Session | None = None) -> dict[str, object]:
        asked = (session or requests).post(
            f"{self.server.url}/v1/predict", json={"texts": ["good", "bad"]}, headers=self.headers, timeout=WAIT_SECONDS
        )
        assert asked.status_code == 200, asked.text
        answer: dict[str, object] = asked.json()
        return answer

    def reload(self) -> requests.Response:
        """The answer, asked for again while the worker still follows another's reload."""
        end = monotonic() + WAIT_SECONDS
        while True:
            answer = requests.post(f"{self.server.url}/admin/reload", headers=self.headers, timeout=WAIT_SECONDS)
            if answer.status_code != 409 or monotonic() > end:
                return answer

    def versions_shown(self) -> set[str]:
        """Those that /metrics says serve, in any worker."""
        shown = requests.get(f"{self.server.url}/metrics", headers=self.headers, timeout=WAIT_SECONDS).text
        return set(re.findall(r'^sentiment_model\{model="default",version="(\w+)"\} 1\.0$', shown, re.MULTILINE))

    def wait_until_all_serve(self, version: str) -> None:
        """A new connection goes to either worker: so many in a row have met both."""
        in_a_row = 0
        end = monotonic() + WAIT_SECONDS
        while in_a_row < 20:
            assert monotonic() < end, self.server.log
            in_a_row = in_a_row + 1 if self.ask()["model"] == {"name": "tiny", "version": version} else 0


@pytest.fixture(params=[2], ids=["2 workers"])
def running(
    start_server: StartServer,
    tiny_bundle: Path,
    tmp_path: Path,
    make_bundle: MakeBundle,
    request: pytest.FixtureRequest,
) -> Running:
    return Running(start_server, request.param, tiny_bundle, tmp_path, make_bundle)


def corrupt(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


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

    os.kill(running.server.process.pid, signal.SIGHUP)
    wait_for(lambda: running.server.log.count("reload refused, the old models go on serving") == 2)
    running.wait_until_all_serve(new)
    assert len(running.server.worker_pids) == 2

    bundles.save(running.bundles[0], running.folder)
    os.kill(running.server.worker_pids[0], signal.SIGHUP)
    running.wait_until_all_serve(old)


def test_a_worker_that_dies_over_a_bad_bundle_does_not_end_the_service(running: Running) -> None:
    corrupt(running.folder)
    os.kill(running.server.worker_pids[0], signal.SIGKILL)
    wait_for(lambda: running.server.log.count("this worker can't start: model bundle refused") == 2)
    running.wait_until_all_serve(running.versions[0])
    bundles.save(running.bundles[1], running.folder)
    assert running.reload().status_code == 200
    running.wait_until_all_serve(running.versions[1])
    wait_for(lambda: len(running.server.worker_pids) == 2)


@pytest.mark.parametrize("running", [1], indirect=True, ids=["1 worker"])
def test_reloads_under_load(running: Running) -> None:
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
    """Threads, open files and resident memory in KiB."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    files = len(os.listdir(f"/proc/{pid}/fd"))
    return int(status["Threads"]), files, int(status["VmRSS"].split()[0])
