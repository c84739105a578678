"""gunicorn as it is configured: what it loads where, how it starts and refuses to start."""

import os
import runpy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.settings import available_cores
from tests.service.conftest import ROOT, Server, StartServer


def read_conf(monkeypatch: pytest.MonkeyPatch, **environment: str) -> dict[str, object]:
    for name in ("OMP_NUM_THREADS", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(ROOT / "service" / "gunicorn.conf.py"))


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    conf = read_conf(monkeypatch, HOST="0.0.0.0", PORT="9000", WORKERS="3", THREADS="5")
    assert (conf["bind"], conf["workers"], conf["threads"]) == ("0.0.0.0:9000", 3, 5)
    assert conf["worker_class"] == "service.worker.Worker"


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("OMP_NUM_THREADS", str(available_cores())),
        ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "128"),
    ],
    ids=["cores", "kernels"],
)
def test_what_torch_reads_when_it_loads(monkeypatch: pytest.MonkeyPatch, name: str, default: str) -> None:
    read_conf(monkeypatch, WORKERS="1")
    assert os.environ[name] == default
    read_conf(monkeypatch, WORKERS="1", **{name: "7"})
    assert os.environ[name] == "7"


def test_the_model_is_loaded_in_the_workers_only(server: Server) -> None:
    (worker,) = server.worker_pids
    assert "libtorch" not in Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "libtorch" in Path(f"/proc/{worker}/maps").read_text()


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "http"}, "^sentiment: PORT: Input should be a valid integer, unable to parse string as an integer, "),
        ({"SENTIMENT_MAX_BODY_BYTES": "0"}, "^sentiment: SENTIMENT_MAX_BODY_BYTES: Input should be greater than or "),
        (
            {"SENTIMENT_MODELS": "models", "SENTIMENT_MODEL": "model"},
            "^sentiment: SENTIMENT_MODEL and SENTIMENT_MODELS ",
        ),
    ],
)
def test_a_bad_setting_ends_gunicorns_master(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], line: str
) -> None:
    with pytest.raises(SystemExit, match=line):
        read_conf(monkeypatch, **environment)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "http"}, "sentiment: PORT: Input should be a valid integer, unable to parse string as an integer, "),
        ({"SENTIMENT_MODEL": "/nowhere"}, "model bundle refused: /nowhere: there is no such folder\n"),
    ],
    ids=["in the master", "in a worker"],
)
def test_what_is_wrong_at_start_is_said_in_one_line(
    start_server: StartServer, environment: dict[str, str], line: str
) -> None:
    server = start_server(**environment)
    assert server.wait_for_exit() != 0
    assert line in server.log
    assert "Traceback" not in server.log
    assert "Exception" not in server.log


def test_threads_of_a_worker_give_each_caller_its_own_answer(server: Server) -> None:
    texts = ["good", "bad", "not good", "a great film", "awful and boring", "okay :)"]
    alone = {text: ask(server, text) for text in texts}

    def caller(text: str) -> None:
        for _ in range(20):
            assert ask(server, text) == pytest.approx(alone[text], abs=1e-5)

    with ThreadPoolExecutor(12) as callers:
        list(callers.map(caller, texts * 2))


def test_no_text_is_ever_logged(server: Server) -> None:
    secret = "zyzzyvasecret"
    for body in (
        f'{{"text": "{secret}"}}',
        f'{{"text": "{secret}',
        f'{{"{secret} {secret}": 1}}',
        f'{{"text": ["{secret}"]}}',
    ):
        response = server.post("/v1/predict", data=body, headers={"Content-Type": "application/json"})
        assert secret not in response.text
    headers = {"Authorization": f"Bearer {secret}"}
    assert server.get(f"/{secret}?{secret}", headers=headers).status_code == 404
    assert secret not in server.log


def ask(server: Server, text: str) -> dict[str, float]:
    response = server.post("/v1/predict", json={"text": text})
    probabilities: dict[str, float] = response.json()["predictions"][0]["probabilities"]
    return probabilities
