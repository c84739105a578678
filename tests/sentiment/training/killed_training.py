"""`sentiment train`, killed by SIGKILL at chosen moments and run again until it is done. A script of its own process.

killed_training.py KILLS COMMAND...: KILLS are JSON, for each folder to write a list of moments: the folder's n-th run
is killed before the n-th of them: a training step, an fsync, a rename or a removal. Prints, as JSON, how each ended.
Runs are forks of a parent that has only imported things: seconds less each, and no thread has been started yet.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentiment.cli import main
from sentiment.training import checkpoint, loop, trainer  # noqa: F401  # imported once, for all runs


class Moments:
    """Counts the calls of what changes the training or the disk, and ends the process before the chosen one."""

    def __init__(self, last: int) -> None:
        self.count, self.last = 0, last

    def watch(self, owner: Any, name: str) -> None:
        """Has every call of `owner.name` count as a moment."""
        call: Callable[..., Any] = getattr(owner, name)

        def counted(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            if self.count == self.last:
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **named)

        setattr(owner, name, counted)


def run(arguments: list[str], last: int, log: Path) -> dict[str, Any]:
    """One run in a fork: its exit code, or the signal that ended it, negative; and what it printed."""
    child = os.fork()
    if child == 0:
        descriptor = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        checkpoint.EVERY_SECONDS = checkpoint.LEAST_WORK = 0  # a checkpoint a step
        moments = Moments(last)
        moments.watch(loop, "train_step")
        for name in ("fsync", "replace", "rename", "unlink", "rmdir"):
            moments.watch(os, name)
        sys.argv = ["sentiment", *arguments]
        try:
            main()
        except SystemExit as end:
            os.write(1, f"\nmoments {moments.count}\n".encode())
            os._exit(int(end.code or 0))
        os._exit(99)
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "output": log.read_text().splitlines()}


if __name__ == "__main__":
    plan, command = json.loads(sys.argv[1]), sys.argv[2:]
    ends = {
        out: [run([*command, "--out", out], last, Path(f"{out}.log")) for last in kills] for out, kills in plan.items()
    }
    print(json.dumps(ends))
