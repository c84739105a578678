"""The service beside the same app without batching and beside other servers: `python -m benchmarks.serving`.

The server has one core, wrk the other. Each server is started, asked and stopped, in turns, several times over; the
figures are medians. The peers live in an environment of their own: `make bench-peers`, then `--peers`.
"""

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.workloads import bundle_to_measure, generated_texts, real_texts
from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.default import DEFAULT_MODEL

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "peers" / "bin"
SERVER_CORE, LOAD_CORE = 0, 1
START_SECONDS = 120.0
SHORT_TEXT = "Not bad at all, I would watch it again."
SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open(os.getenv("BODY")):read("*a")
function done(summary, latency)
  local errors = summary.errors
  -- Of all responses so few are slower than this that they can be no more than a hundredth of the answers.
  local answered = (summary.requests - errors.status) / math.max(1, summary.requests)
  io.write(string.format('{"requests": %d, "seconds": %f, "refused": %d, "failed": %d, "p50": %f, "p99": %f}',
    summary.requests, summary.duration / 1e6, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(100 - answered) / 1e3))
end
"""


@dataclass(frozen=True)
class Server:
    """How to start one, and where it answers."""

    name: str
    command: Sequence[str]
    path: str
    ready: str


@dataclass(frozen=True)
class Load:
    """What so many clients ask, one request after the other each."""

    name: str
    clients: int
    texts: Sequence[str]


@dataclass(frozen=True)
class Measured:
    """One run of one load: answers a second, and milliseconds; of the server's processor time, too, for each answer."""

    answers: float
    asked: float  # a second, those that were refused too
    p50: float
    p99: float  # of the answers, at most
    cpu: float
    refused: int
    failed: int


def servers(port: int, peers: bool) -> list[Server]:
    """This service, itself without batching, and the peers."""
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py"]
    found = [
        Server("this service", gunicorn, "/v1/predict", "/health/ready"),
        Server(
            "without batching",
            [*gunicorn, "benchmarks.serving_unbatched:application()"],
            "/v1/predict",
            "/health/ready",
        ),
    ]
    if peers:
        litserve = [str(PEERS / "python"), "-m", "benchmarks.serving_litserve", str(port)]
        where = ["--host", "127.0.0.1", "--port", str(port)]
        bentoml = [str(PEERS / "bentoml"), "serve", "benchmarks.serving_bentoml:Sentiment", *where]
        found += [
            Server("LitServe", litserve, "/predict", "/health"),
            Server("BentoML", bentoml, "/classify", "/readyz"),
        ]
    return found


def loads(review: str) -> list[Load]:
    """One short text by more and more clients, lists, and long texts.

    Of 400 clients and of 960, most are refused, ask again at once, and never wait as Retry-After says. How much they
    ask is what the server makes of it, and is printed: it is to be about ten times the most that is answered.
    """
    return [
        *(Load("one short text", clients, [SHORT_TEXT]) for clients in (1, 8, 32, 128, 400, 960)),
        *(Load("a list of 32", clients, [SHORT_TEXT] * 32) for clients in (1, 8)),
        *(Load("a review of 300 tokens", clients, [review]) for clients in (1, 32)),
    ]


@contextmanager
def running(server: Server, port: int, model: Path) -> Iterator[int]:
    """The process of the server, which has one core, one thread for its model, and is ready."""
    environment = os.environ | {
        "SENTIMENT_MODEL": str(model), "HOST": "127.0.0.1", "PORT": str(port), "WORKERS": "1",
        "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "BENTOML_DO_NOT_TRACK": "true",
    }  # fmt: skip
    command = ["taskset", "-c", str(SERVER_CORE), *server.command]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            if not _gets_ready(f"http://127.0.0.1:{port}{server.ready}", process):
                log.seek(0)
                sys.exit(f"{server.name} does not start:\n{log.read().decode()}")
            yield process.pid
        finally:
            for pid in family(process.pid):  # not its group alone: BentoML's workers leave it
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()


def measure(load: Load, url: str, pid: int, seconds: float, folder: Path) -> Measured:
    """The answers of one run, after a shorter one to warm up."""
    body, script = folder / "body.json", folder / "load.lua"
    body.write_text(json.dumps({"texts": list(load.texts)}))
    script.write_text(SCRIPT)
    command = [
        "taskset",
        "-c",
        str(LOAD_CORE),
        "wrk",
        "-t1",
        f"-c{load.clients}",
        "--timeout",
        "60s",
        "-s",
        str(script),
    ]
    cpu_seconds = 0.0
    for duration in (max(1.0, seconds / 4), seconds):
        before = _cpu_seconds(pid)
        printed = subprocess.run(
            [*command, f"-d{duration:.0f}s", url], env=os.environ | {"BODY": str(body)}, capture_output=True, check=True
        ).stdout.decode()
        cpu_seconds = _cpu_seconds(pid) - before
    found = re.search(r"\{.*\}", printed)
    if found is None:
        raise RuntimeError(f"wrk said nothing that is understood: {printed[:200]}")
    counted: dict[str, Any] = json.loads(found[0])
    answers = counted["requests"] - counted["refused"]
    return Measured(
        answers / counted["seconds"],
        counted["requests"] / counted["seconds"],
        counted["p50"],
        counted["p99"],
        cpu=1000 * cpu_seconds / max(1, answers),
        refused=counted["refused"],
        failed=counted["failed"],
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints what was measured."""
    options = _parser().parse_args(arguments)
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: apt-get install wrk")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bundle = bundle_to_measure(options.model)
        model = folder / "model"
        bundles.save(bundle if bundle.golden else _with_golden(bundle), model)
        texts = real_texts(options.data) if options.data else generated_texts(bundle.vocabulary)
        review = _review(" ".join(next(iter(texts.values()))).split())
        results: dict[tuple[str, int], dict[str, list[Measured]]] = {}
        for _ in range(options.repeats):
            for number in range(len(servers(0, options.peers))):
                port = free_port()
                server = servers(port, options.peers)[number]
                with running(server, port, model) as pid:
                    for load in loads(review):
                        url = f"http://127.0.0.1:{port}{server.path}"
                        found = measure(load, url, pid, options.seconds, folder)
                        results.setdefault((load.name, load.clients), {}).setdefault(server.name, []).append(found)
    medians = {key: {name: _median(runs) for name, runs in by_name.items()} for key, by_name in results.items()}
    if options.json:
        rows = [{"load": name, "clients": clients, **found} for (name, clients), found in medians.items()]
        print(json.dumps(rows, default=vars))
    else:
        _print(medians)


def _with_golden(bundle: Bundle) -> Bundle:
    (found,) = Classifier(bundle).predict([SHORT_TEXT])
    return replace(bundle, golden=({"text": SHORT_TEXT, "probabilities": found.probabilities},))


def _review(words: Sequence[str]) -> str:
    return " ".join(words[:300])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _gets_ready(url: str, process: "subprocess.Popen[bytes]") -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return True
        except OSError:
            time.sleep(0.1)
    return False


def family(pid: int) -> dict[int, int]:
    """The clock ticks that the process and each of its descendants has used."""
    parents, ticks = {}, {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = status.read_text().rpartition(")")[2].split()
            child = int(status.parent.name)
            parents[child], ticks[child] = int(fields[1]), int(fields[11]) + int(fields[12])
    family = {pid}
    while added := {child for child, parent in parents.items() if parent in family} - family:
        family |= added
    return {member: ticks.get(member, 0) for member in family}


def _cpu_seconds(pid: int) -> float:
    return sum(family(pid).values()) / os.sysconf("SC_CLK_TCK")


def _median(runs: Sequence[Measured]) -> Measured:
    return Measured(
        answers=statistics.median(run.answers for run in runs),
        asked=statistics.median(run.asked for run in runs),
        p50=statistics.median(run.p50 for run in runs),
        p99=statistics.median(run.p99 for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        refused=sum(run.refused for run in runs),
        failed=sum(run.failed for run in runs),
    )


def _print(medians: Mapping[tuple[str, int], Mapping[str, Measured]]) -> None:
    table = Table(
        "load", "clients", "server", "answers/s", "asked/s", "p50 ms", "p99 ms", "CPU ms", "refused", "failed"
    )
    for (name, clients), by_server in medians.items():
        for server, found in by_server.items():
            figures = (
                f"{found.answers:,.0f}",
                f"{found.asked:,.0f}",
                f"{found.p50:.1f}",
                f"{found.p99:.1f}",
                f"{found.cpu:.2f}",
            )
            table.add_row(name, str(clients), server, *figures, str(found.refused), str(found.failed))
        table.add_section()
    Console(width=120).print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--data", type=Path, help="a folder of real texts; else they are generated")
    parser.add_argument("--peers", action="store_true", help="LitServe and BentoML too")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load of each repeat")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
