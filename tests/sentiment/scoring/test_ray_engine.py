"""Real Ray: a cluster of several node processes, one of them killed; and one of our own that is killed with its job."""

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sentiment.classifier import Classifier
from sentiment.errors import BundleError, DataError
from sentiment.scoring import Progress, ScoringSettings, score
from sentiment.scoring.errors import EngineError
from sentiment.scoring.predict.engines import LocalEngine
from sentiment.scoring.predict.predict import answer
from sentiment.scoring.predict.ray_engine import RayEngine, _answer

pytest.importorskip("ray", reason="no Ray here: pip install -r requirements-dev.txt")

ROWS = 600
SHARD_ROWS = 100
GOES_ON = "no row is lost: the same command resumes"
KILLED = f"""
import os, sys
import torch
from sentiment import load
from sentiment.scoring import ScoringSettings, score
from sentiment.scoring.predict.ray_engine import RayEngine

def kill(progress):
    if progress.rows > 2.5 * {SHARD_ROWS}:
        os.kill(os.getpid(), 9)

model, source, target = sys.argv[1:]
classifier = load(model)
engine = RayEngine(model, classifier.version, processes=1)
score(classifier, source, target, ScoringSettings(shard_rows={SHARD_ROWS}), kill, engine=engine)
"""


@pytest.fixture(scope="module", autouse=True)
def as_quick_as_others() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")  # or they wait for whatever else this machine does
        yield


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


@pytest.fixture(scope="module")
def engine(cluster: Any, tiny_bundle: Path, tiny_classifier: Classifier) -> Iterator[RayEngine]:
    cluster.add_node(num_cpus=1)
    engine = RayEngine(tiny_bundle, tiny_classifier.version, address=cluster.address)
    yield engine
    engine.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in.jsonl.gz"
    texts = [f"{'very ' * (n % 7)}{'good' if n % 3 else 'bad'} film {n}" if n % 50 else "" for n in range(ROWS)]
    rows = "".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(texts))
    path.write_bytes(gzip.compress(rows.encode()))
    return path


def outcome(target: Path) -> list[bytes]:
    return [target.read_bytes(), target.with_name(f"{target.name}.rejects.jsonl").read_bytes()]


def expected(classifier: Classifier, source: Path, name: str) -> list[bytes]:
    target = source.parent / "serial" / name
    target.parent.mkdir()
    score(classifier, source, target, ScoringSettings(shard_rows=SHARD_ROWS))
    return outcome(target)


@pytest.mark.slow
def test_workers_answer_as_this_process(engine: RayEngine, tiny_classifier: Classifier) -> None:
    texts = ["good", "", "\ud800", "a film", "bad " * 50]
    waiting = [engine.submit(texts[:count]) for count in range(len(texts) + 1)]
    assert [pending() for pending in waiting] == [
        answer(tiny_classifier, texts[:count]) for count in range(len(texts) + 1)
    ]
    assert engine.numeric_environment == LocalEngine(tiny_classifier).numeric_environment


@pytest.mark.slow
def test_a_node_that_computes_otherwise_is_refused_by_name(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "numeric_environment", {**engine.numeric_environment, "bfloat16 units": ["of another"]})
    with pytest.raises(EngineError, match="bfloat16 units is .* there, and was \\['of another'\\]; give the job nodes"):
        engine.submit(["good"])()
    with pytest.raises(EngineError, match="^the Ray node [^ ]+ has sentiment-bilstm [^ ]+, and this is 0.0;"):
        _answer([None], "version", "float32", "0.0", False, [])


@pytest.mark.slow
def test_a_model_that_changed_meanwhile_is_refused(engine: RayEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    model, _, *rest = engine._held
    monkeypatch.setattr(engine, "_held", (model, "another", *rest))
    with pytest.raises(BundleError, match="^model bundle refused: the model: is version .* now, and was another$"):
        engine.submit(["good"])()


@pytest.mark.slow
def test_a_worker_that_fails_or_dies_again_and_again_ends_the_job_in_words(
    engine: RayEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing, dying = (engine._ray.remote(max_retries=0)(task) for task in (lambda *_: [][0], lambda *_: os._exit(1)))
    monkeypatch.setattr(engine, "_task", failing)
    with pytest.raises(EngineError) as caught:
        engine.submit(["good"])()
    assert str(caught.value) == f"Ray gave up on a task: IndexError: list index out of range; {GOES_ON}"
    monkeypatch.setattr(engine, "_task", dying)
    with pytest.raises(EngineError, match="^Ray gave up on a task: WorkerCrashedError: The worker died unexpectedly"):
        engine.submit(["good"])()


@pytest.mark.slow
def test_a_node_killed_mid_job_costs_nothing(
    cluster: Any, engine: RayEngine, tiny_classifier: Classifier, source: Path
) -> None:
    nodes = [cluster.add_node(num_cpus=1)]
    cluster.wait_for_nodes()
    assert engine.ahead == 2 * 2  # of two nodes: the pool has grown
    killed_after: list[int] = []

    def kill(progress: Progress) -> None:
        if progress.rows > 1.5 * SHARD_ROWS and nodes:
            cluster.remove_node(nodes.pop(), allow_graceful=False)
            killed_after.append(progress.rows)

    target = source.parent / "out.jsonl.gz"
    settings = ScoringSettings(shard_rows=SHARD_ROWS)
    summary = score(tiny_classifier, source, target, settings, kill, engine=engine)
    assert killed_after == [2 * SHARD_ROWS]
    assert (summary.rows, summary.rejected) == (ROWS, ROWS // 50)
    assert outcome(target) == expected(tiny_classifier, source, target.name)


@pytest.mark.slow
def test_a_cluster_of_our_own_ends_with_a_killed_job_which_another_cluster_goes_on_from(
    cluster: Any, tiny_bundle: Path, tiny_classifier: Classifier, source: Path
) -> None:
    target = source.parent / "out.parquet"
    arguments = [str(tiny_bundle), str(source), str(target)]
    killed = subprocess.Popen([sys.executable, "-c", KILLED, *arguments], start_new_session=True)
    assert killed.wait(timeout=300) == -9
    assert not target.exists()
    command = [sys.executable, "-m", "sentiment", "score", str(source), str(target), "--model", str(tiny_bundle)]
    command += ["--engine", "ray", "--ray-address", cluster.address, "--shard-rows", str(SHARD_ROWS)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (1, "")  # some rows are rejected; Ray says nothing
    assert "200 rows were finished earlier." in done.stdout
    assert outcome(target) == expected(tiny_classifier, source, target.name)
    # Last, because Ray's agents try for a minute to reach what is dead.
    deadline = time.monotonic() + 180
    while running_in(killed.pid):
        assert time.monotonic() < deadline, running_in(killed.pid)
        time.sleep(0.1)


def running_in(session: int) -> list[str]:
    """Return the processes of a session that run, without those that have ended and are still to be waited for."""
    running = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = stat.read_text().rpartition(")")
        except OSError:
            continue
        state, _, _, its_session = rest.split()[:4]
        if int(its_session) == session and state not in "ZX":
            running.append(name)
    return running


def test_without_ray_or_without_a_cluster_one_line_says_so(tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(DataError) as caught:
            RayEngine(tiny_bundle, "version", address=address)
    refused = "ConnectionRefusedError: [Errno 111] Connection refused"
    assert str(caught.value) == f"Ray: no cluster answers at {address}: {refused}"
    with pytest.raises(DataError, match="^Ray at nonsense could not be joined: ValueError: Invalid address format"):
        RayEngine(tiny_bundle, "version", address="nonsense")
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DataError, match=r"^Ray is not installed; pip install 'sentiment-bilstm\[ray\]'$"):
        RayEngine(tiny_bundle, "version")
