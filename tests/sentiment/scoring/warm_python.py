"""Start Python programs as forks of one process that has imported what they need.

Each program is what follows `python` in a command: `-m MODULE`, `-c CODE` or `SCRIPT`, and arguments. It is a real
process, with descriptors, environment and working folder of its own; what it saves are the seconds in which a new
interpreter imports torch and spaCy. The process that forks has only imported, so it has one thread and forks of it are
safe.

Standard input is a Unix socket. A request comes on it as four descriptors: the program's standard input, output and
error, and a socket that takes one line of JSON and gives the process ID and, later, the exit code, a line each. The end
of standard input ends the process.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
import traceback
from types import ModuleType
from typing import Any, NoReturn

# What a command imports when it runs.
import pyarrow.parquet  # noqa: F401
import s3fs  # noqa: F401
import spacy  # noqa: F401

import sentiment.cli
import sentiment.scoring.report
import sentiment.terminal.scoring  # noqa: F401

FLUSH_FAILED = 120  # Python's exit code where standard output can't be written at the end


def main() -> NoReturn:
    """Fork for each request until standard input ends."""
    control = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whose end is waited for is a child of `watch`
    gc.freeze()  # or the first collection of each fork would copy all that is imported
    while True:
        word, descriptors, _, _ = socket.recv_fds(control, 1, 4)
        if not word:
            os._exit(0)
        if os.fork() == 0:
            control.close()
            watch(*descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def watch(stdin: int, stdout: int, stderr: int, channel: int) -> NoReturn:
    """Run the program in a child, and report its process ID and its exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answers = socket.socket(fileno=channel)
    with answers.makefile("r") as lines:
        request = json.loads(lines.readline())
    child = os.fork()
    if child == 0:
        answers.close()
        for number, descriptor in enumerate((stdin, stdout, stderr)):
            os.dup2(descriptor, number)
            os.close(descriptor)
        program(**request)
    for descriptor in (stdin, stdout, stderr):
        os.close(descriptor)  # a pipe ends with the program
    answers.sendall(b"%d\n" % child)
    answers.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    os._exit(0)


def program(arguments: list[str], closed: list[int], folder: str, environment: dict[str, str]) -> NoReturn:
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
    main()
