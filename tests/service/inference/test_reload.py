"""New bundles in place of old ones, in this process; over the workers of a gunicorn: test_several_workers.py."""

import copy
import threading
from pathlib import Path

import pytest

import sentiment
from sentiment import bundle as bundles
from sentiment.classifier import AnyModel, Classifier
from sentiment.errors import BundleError
from service.app import create_app
from service.errors import ModelRefused, ReloadRunning
from service.inference import registry
from service.inference.batcher import Batcher
from service.inference.model import Model
from service.inference.reload import Reloader, last_reload_request, request_reload
from service.settings import ServiceSettings
from tests.conftest import MakeBundle
from tests.service.conftest import WAIT_SECONDS, wait_for


@pytest.fixture(scope="module")
def other_classifier(make_bundle: MakeBundle, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    folder = tmp_path_factory.mktemp("other") / "tiny"
    bundles.save(make_bundle(seed=1), folder)
    return sentiment.load(folder)


@pytest.fixture
def model(tiny_classifier: Classifier) -> Model:
    return Model("default", tiny_classifier, Batcher(max_batch_tokens=64, max_waiting_texts=64))


def test_what_was_swapped(model: Model, tiny_classifier: Classifier, other_classifier: Classifier) -> None:
    (swap,) = Reloader({"default": model}, lambda: {"default": other_classifier}, last_reload_request()).reload()
    assert (swap.name, swap.previous, swap.version) == ("default", tiny_classifier.version, other_classifier.version)
    answer = model.predict(["good"])
    assert answer.model["version"] == other_classifier.version
    assert answer.predictions == other_classifier.predict(["good"])


def test_nothing_is_swapped_if_one_is_refused(model: Model, tiny_classifier: Classifier) -> None:
    def load() -> dict[str, Classifier]:
        raise BundleError("weights.safetensors", "is missing")

    reloader = Reloader({"default": model}, load, last_reload_request())
    for _ in range(2):
        with pytest.raises(ModelRefused, match=r"^model bundle refused: weights\.safetensors: is missing$"):
            reloader.reload()
    assert model.classifier is tiny_classifier


def test_models_neither_come_nor_go(model: Model, other_classifier: Classifier) -> None:
    reloader = Reloader(
        {"default": model}, lambda: {"default": other_classifier, "new": other_classifier}, last_reload_request()
    )
    with pytest.raises(ModelRefused, match="^models come and go with a restart alone: new$"):
        reloader.reload()


def test_one_reload_at_a_time_and_what_is_asked_for_meanwhile_is_followed(
    model: Model, tiny_classifier: Classifier, other_classifier: Classifier
) -> None:
    loading, leave, on_disk = threading.Event(), threading.Event(), [other_classifier]

    def load() -> dict[str, Classifier]:
        found = on_disk[0]
        loading.set()
        assert leave.wait(WAIT_SECONDS)
        return {"default": found}

    reloader = Reloader({"default": model}, load, last_reload_request())
    reloader.watch()
    thread = threading.Thread(target=reloader.reload)
    thread.start()
    assert loading.wait(WAIT_SECONDS)
    with pytest.raises(ReloadRunning):
        reloader.reload()
    on_disk[0] = newest = copy.copy(tiny_classifier)
    request_reload()
    leave.set()
    thread.join(WAIT_SECONDS)
    wait_for(lambda: model.classifier is newest)


def test_what_is_asked_for_while_a_worker_starts_is_followed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, make_bundle: MakeBundle
) -> None:
    old = bundles.save(make_bundle(), tmp_path / "model")
    versions, load_really = [old], registry.load

    def load(model: Path, folder: Path | None) -> dict[str, AnyModel]:
        found = load_really(model, folder)
        if versions == [old]:
            versions.append(bundles.save(make_bundle(seed=1), model))
            request_reload()
        return found

    monkeypatch.setattr(registry, "load", load)
    app = create_app(ServiceSettings(model=tmp_path / "model"))
    client = app.test_client()
    assert client.get("/health/ready").get_json()["model"]["version"] == old
    app.extensions["reloader"].watch()
    wait_for(lambda: client.get("/health/ready").get_json()["model"]["version"] == versions[-1])
