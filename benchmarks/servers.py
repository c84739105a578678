"""The servers that are measured, as processes on one core: started, waited for, ended with all that they started."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from service.http.problems import OVERLOADED

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "peers" / "bin"
SERVER_CORE = 0
START_SECONDS = 120.0
WSGI_THREADS = 128

_GUNICORN = (sys.executable, "-m", "gunicorn", "-c", "service/gunicorn.conf.py")


@dataclass(frozen=True)
class Server:
    """A server's command and address."""

    name: str
    command: Sequence[str]
    path: str
    ready: str
    refusal: str = ""  # what the body of each refusal contains


def ours() -> list[Server]:
    """Return this service, and itself without batching."""
    return [
        _app("this service", *_GUNICORN),
        _app("without batching", *_GUNICORN, "benchmarks.serving_unbatched:application()"),
    ]


def peers(port: int) -> list[Server]:
    """Return the same model behind servers of models."""
    litserve = [str(PEERS / "python"), "-m", "benchmarks.serving_litserve", str(port)]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    bentoml = [str(PEERS / "bentoml"), "serve", "benchmarks.serving_bentoml:Sentiment", *where]
    return [
        Server("LitServe", litserve, "/predict", "/health"),
        Server("BentoML", bentoml, "/classify", "/readyz"),
    ]


def wsgi_servers(port: int) -> list[Server]:
    """Return the same app on other servers of WSGI, each with the same number of threads."""
    granian = [str(PEERS / "granian"), "--interface", "wsgi", "--factory", "--port", str(port)]
    waitress = [str(PEERS / "waitress-serve"), f"--listen=127.0.0.1:{port}", f"--threads={WSGI_THREADS}", "--call"]
    return [
        _app("gunicorn's gthread", *_GUNICORN, "--worker-class", "gthread", "--threads", str(WSGI_THREADS)),
        _app("granian", *granian, "--blocking-threads", str(WSGI_THREADS), "service.wsgi:application"),
        _app("waitress", *waitress, "service.wsgi:application"),
    ]


def _app(name: str, *command: str) -> Server:
    return Server(name, command, "/v1/predict", "/health/ready", OVERLOADED.uri)


@contextmanager
def running(server: Server, port: int, model: Path) -> Iterator[int]:
    """Yield the process of the server, which has one core, one thread for its model, and is ready."""
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


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def family(pid: int) -> dict[int, int]:
    """Return the clock ticks that the process and each of its descendants has used."""
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


def cpu_seconds(pid: int) -> float:
    """Return the processor time that the process and its descendants have used."""
    return sum(family(pid).values()) / os.sysconf("SC_CLK_TCK")


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
