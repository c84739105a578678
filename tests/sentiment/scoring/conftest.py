"""Programs as real processes that start at once: tests/warm_python.py says how."""

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, Self

import pytest

import sentiment
from tests.warm_python import start, warm_python

LIMIT_SECONDS = 300  # after which a program that hangs is killed, and its test fails


class Program:
    """A running program, used as a `subprocess.Popen`. A standard stream is a pipe, a descriptor or, for None, closed.

    Raises BrokenPipeError or ValueError where the server has ended.
    """

    def __init__(
        self,
        address: str,
        arguments: tuple[object, ...],
        *,
        stdin: int | None = subprocess.PIPE,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
    ) -> None:
        self.arguments = [str(each) for each in arguments]
        self.returncode: int | None = None
        with ExitStack() as given:  # what belongs to the program once it has started

            def open_stream(stream: int | None, mode: str) -> tuple[int, BinaryIO | None]:
                if stream == subprocess.PIPE:
                    ends = os.pipe()
                    own, its_own = ends[::-1] if mode == "wb" else ends
                    given.callback(os.close, its_own)
                    return its_own, open(own, mode)
                if stream is None:
                    return given.enter_context(open(os.devnull, "rb")).fileno(), None
                return stream, None

            streams = [open_stream(stdin, "wb"), open_stream(stdout, "rb"), open_stream(stderr, "rb")]
            self.stdin, self.stdout, self.stderr = (pipe for _, pipe in streams)
            closed = [number for number, stream in enumerate((stdin, stdout, stderr)) if stream is None]
            descriptors = [descriptor for descriptor, _ in streams]
            self._connection = start(address, self.arguments, descriptors, closed)
        self._answers = self._connection.makefile("r")
        self.pid = int(self._answers.readline())
        self._limit = threading.Timer(LIMIT_SECONDS, self.kill)
        self._limit.start()

    def kill(self) -> None:
        os.kill(self.pid, 9)

    def wait(self) -> int:
        """Return the exit code, or the signal's number below zero, once the program has ended."""
        if self.returncode is None:
            self.returncode = int(self._answers.readline())
            self._limit.cancel()
        return self.returncode

    def communicate(self, content: bytes = b"") -> tuple[bytes, bytes]:
        """Return the rest of standard output and error, after writing what a pipe holds at once: 64 KiB."""
        if self.stdin is not None:
            with suppress(BrokenPipeError), self.stdin:
                self.stdin.write(content)
        with ThreadPoolExecutor() as pool:
            out, err = pool.map(lambda pipe: pipe.read() if pipe else b"", (self.stdout, self.stderr))
        self.wait()
        return out, err

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._connection, self._answers:
            for pipe in (self.stdin, self.stdout, self.stderr):
                if pipe is not None:
                    pipe.close()
            self.wait()


@pytest.fixture(scope="session")
def start_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Program]]:
    """Start Python with the arguments given: `start_python("-m", "sentiment", ...)`."""
    environment = {**os.environ, "PYTHONPATH": str(Path(sentiment.__file__).parents[1])}  # the package tested here
    with warm_python(tmp_path_factory.mktemp("warm"), environment) as address:
        yield lambda *arguments, **streams: Program(address, arguments, **streams)


@pytest.fixture(scope="session")
def run_python(start_python: Callable[..., Program]) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run Python to its end as `subprocess.run` does: `run_python("-m", "sentiment", ..., content=b"good")`."""

    def run(*arguments: object, content: bytes = b"", **streams: int) -> "subprocess.CompletedProcess[str]":
        with start_python(*arguments, **streams) as program:
            out, err = program.communicate(content)
        return subprocess.CompletedProcess(program.arguments, program.wait(), out.decode(), err.decode())

    return run
