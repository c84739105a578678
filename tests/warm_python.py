"""Start Python programs as forks of one process that has imported what they need: an interpreter takes seconds.

Each program is what follows `python` in a command: `-m MODULE`, `-c CODE` or `SCRIPT`, and arguments. It is a real
process, with descriptors, environment and working folder of its own. The process that forks has only imported, so that
no thread of it computes; the one that pyarrow starts waits, and is not missed in a fork.

`warm_python.py ADDRESS` serves on a Unix socket. A connection brings three descriptors, the program's standard input,
output and error, and a line of JSON; back come the process ID and, later, the exit code, a line each.
`warm_python.py ADDRESS ARGUMENTS...` is a client for shells: it has a program run with its own streams, and ends as it
does.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

LOADED = (
    "matplotlib.pyplot",
    "pyarrow.parquet",
    "s3fs",
    "sentiment.cli",
    "sentiment.evaluation.report",
    "sentiment.explain.report",
    "sentiment.scoring.predict.engines",
    "sentiment.scoring.report",
    "sentiment.terminal.scoring",
    "sklearn.metrics",
    "spacy.lang.en",
    "torch._dynamo",  # optimizers import it
)
FLUSH_FAILED = 120  # Python's exit code where standard output can't be written at the end


@contextlib.contextmanager
def warm_python(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """Start a server, and give its address."""
    address = str(folder / "warm")
    with subprocess.Popen(
        [sys.executable, __file__, address], env=environment, stdout=subprocess.PIPE, start_new_session=True
    ) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            yield address
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # with what a program left behind


def start(
    address: str, arguments: Sequence[str], streams: Sequence[int] = (0, 1, 2), closed: Sequence[int] = ()
) -> socket.socket:
    """Have the server run a program with these streams; those of `closed` are closed in it. Return the connection."""
    request = {"arguments": arguments, "closed": closed, "folder": os.getcwd(), "environment": dict(os.environ)}
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    socket.send_fds(connection, [b"."], list(streams))
    connection.sendall(json.dumps(request).encode() + b"\n")
    return connection


def serve(address: str) -> NoReturn:
    for name in LOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whose end is waited for is a child of `watch`
    gc.freeze()  # or the first collection of each fork would copy all that is imported
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                watch(connection)
            connection.close()


def watch(connection: socket.socket) -> NoReturn:
    """Run the program in a child, and report its process ID and its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("r") as lines:
        request = json.loads(lines.readline())
    child = os.fork()
    if child == 0:
        connection.close()
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
            os.close(descriptor)
        run_and_end(**request)
    for descriptor in streams:
        os.close(descriptor)  # a pipe ends with the program
    with contextlib.suppress(OSError):  # who asked is gone
        connection.sendall(b"%d\n" % child)
        connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)


def run_and_end(arguments: list[str], closed: list[int], folder: str, environment: dict[str, str]) -> NoReturn:
    """Run a program with standard streams of this process, except the `closed`, and end as Python does."""
    for number in closed:
        os.close(number)
    streams: list[Any] = [
        None if number in closed else open(number, mode, closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    ]
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__ = streams
    if sys.stderr is not None:
        sys.stderr.reconfigure(errors="backslashreplace", line_buffering=True)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    try:
        run(arguments)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        if code and not isinstance(error.code, int):
            print(error.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        code = 1
    # Python's own end frees what is imported: a second, in which all of it is copied.
    threading._shutdown()
    atexit._run_exitfuncs()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        traceback.print_exc()
        code = FLUSH_FAILED
    os._exit(code)


def run(arguments: list[str]) -> None:
    """Run what `python` would with these arguments, in this process."""
    match arguments:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", code, *rest]:
            sys.argv = ["-c", *rest]
            sys.modules["__main__"] = ModuleType("__main__")
            exec(code, vars(sys.modules["__main__"]))  # noqa: S102
        case [script, *rest]:
            sys.argv = [script, *rest]
            runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    with start(sys.argv[1], sys.argv[2:]) as answers, answers.makefile() as lines:
        lines.readline()  # the process ID
        status = int(lines.readline())
    sys.exit(status if status >= 0 else 128 - status)  # as a shell says that a signal ended it
