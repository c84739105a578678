"""Configure gunicorn: `gunicorn -c service/gunicorn.conf.py`, with HOST, PORT, WORKERS and THREADS.

The master imports this file, so nothing here loads torch: a process that ran torch and then forks hangs its children.
"""

import os
import sys
from pathlib import Path
from typing import Any

from prometheus_client import multiprocess, values

from sentiment.errors import ConfigError
from sentiment.runtime import limit_onednn_cache
from service.inference.reload import request_reload
from service.settings import ServerSettings, ServiceSettings
from service.telemetry import metrics

try:
    _server = ServerSettings.read()
    ServiceSettings.read()  # refused here, in one line, rather than by every worker
except ConfigError as error:
    sys.exit(f"sentiment: {error}")

# Read by torch when it is loaded, in the workers; torch.set_num_threads alone comes too late (pytorch#19213).
os.environ.setdefault("OMP_NUM_THREADS", str(_server.torch_threads))
limit_onednn_cache()

wsgi_app = "service.wsgi:application()"
bind = _server.bind
workers = _server.workers
worker_class = "service.worker.Worker"
threads = _server.threads
keepalive = 75  # seconds; longer than the 60 of common proxies, which else meet a connection just closed
timeout = 60  # seconds without a sign of the worker's main loop; loading torch from a cold disk counts too
graceful_timeout = 30  # seconds that a stopping worker has for what it has accepted
# Nothing here reads who a proxy says it speaks for. All are trusted with no header: else each peer would be looked up.
forwarded_allow_ips, secure_scheme_headers, forwarder_headers = "*", {}, ""
header_map = "refuse"  # X_Request_ID and X-Request-ID would be one header to the app
logger_class = "service.telemetry.logs.GunicornLogger"
control_socket_disable = True  # its thread makes forks deadlock (gunicorn#3520), and it wants a folder to write to
if Path("/dev/shm").is_dir():
    worker_tmp_dir = "/dev/shm"  # the heartbeat never waits for a disk


def on_starting(server: Any) -> None:
    """Prepare the master before the first worker starts."""
    metrics.share_files()
    # gunicorn's own way with SIGHUP, to start all workers anew, would end the service over a bad bundle.
    server.handle_hup = request_reload


def post_fork(_: Any, worker: Any) -> None:
    """Prepare a new worker, whose metrics are in files of its own."""
    own = os.getpid()  # it never forks; by itself the library would ask the system with each count
    values.ValueClass = values.MultiProcessValue(lambda: own)


def child_exit(_: Any, worker: Any) -> None:
    """Remove an ended worker's live metrics, in the master."""
    multiprocess.mark_process_dead(worker.pid)


def on_exit(_: Any) -> None:
    """Clean up when the master ends."""
    metrics.remove_files()
