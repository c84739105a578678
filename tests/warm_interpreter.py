"""Run commands in forks of one process that has imported what they need: an interpreter takes seconds to do so anew.

The server forks for each command and gives it the arguments, folder, environment and standard streams of the client,
which ends as the command does. A process with several threads can't fork safely, so the server only imports.
"""

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
from collections.abc import Iterator
from pathlib import Path

LOADED = (  # what takes longest to import, and starts no thread: pyarrow, polars and onnxruntime do
    "matplotlib.pyplot",
    "sentiment.cli",
    "sentiment.classifier",
    "sentiment.evaluation.report",
    "sentiment.explain.report",
    "sentiment.scoring.engines",
    "sklearn.metrics",
    "spacy.lang.en",
    "torch._dynamo",  # optimizers import it
)


@contextlib.contextmanager
def warm_interpreter(folder: Path, environment: dict[str, str]) -> Iterator[list[str]]:
    """Start a server, and give its client's command line: add `-m NAME` and arguments, or a script's name."""
    address = folder / "warm"
    command = [sys.executable, "-m", "tests.warm_interpreter", str(address)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True) as server:
        try:
            assert server.stdout
            assert server.stdout.readline() == b"ready\n"
            yield [sys.executable, "-IS", __file__, str(address)]
        finally:
            os.killpg(server.pid, signal.SIGKILL)  # with what a command left behind


def serve(address: str) -> None:
    """Run each command in a fork. Return in the forks alone, when their command has ended."""
    for name in LOADED:
        importlib.import_module(name)
    gc.freeze()  # or each fork, when it ends, would copy all of it only to collect it: two seconds
    assert len(os.listdir("/proc/self/task")) == 1, "a process with several threads can't fork safely"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    with connection:
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        _, streams, _, _ = socket.recv_fds(connection, 1, 3)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        with connection.makefile() as request:
            asked = json.loads(request.readline())
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    run(asked["arguments"])


def run(arguments: list[str]) -> None:
    """Run `-m NAME ...` or `FILE ...` in this process."""
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


def ask(address: str, arguments: list[str]) -> int:
    """Have the server run a command, and return its exit status."""
    request = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as server, server.makefile("rw") as stream:
        server.connect(address)
        socket.send_fds(server, [b"\0"], [0, 1, 2])
        stream.write(json.dumps(request) + "\n")
        stream.flush()
        return int(stream.readline())


if __name__ == "__main__":
    if arguments := sys.argv[2:]:
        sys.exit(ask(sys.argv[1], arguments))
    serve(sys.argv[1])
