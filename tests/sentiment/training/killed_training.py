"""`sentiment train`, killed by SIGKILL at chosen moments and run again until it is done. A script of its own process.

killed_training.py RUNS: JSON, a list of `{"out": FOLDER, "kill": MOMENT, "arguments": [...]}`, run in order. A run is
killed before its MOMENT-th training step, fsync, rename or removal; null lets it end; a number below 1 is a share of
the first run's moments. Prints, as JSON, how each ended. Runs are forks of a parent that has only imported things:
seconds less each, and no thread has been started yet.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentiment.cli import main
from sentiment.training import loop, optimization, trainer  # noqa: F401  # imported once, for all runs
from sentiment.training.resume import checkpoint

MOMENTS = "moments "


class Moments:
    """Counts the calls of what changes the training or the disk, and ends the process before the chosen one."""

    def __init__(self, last: int | None) -> None:
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


def run(arguments: list[str], last: int | None, log: Path) -> dict[str, Any]:
    """One run in a fork: its exit code, or the signal that ended it, negative; and what it printed."""
    child = os.fork()
    if child == 0:
        descriptor = os.open(log, os.O_CREAT | os.O_TRUNC | os.O_WRONLY)
        os.dup2(descriptor, 1)
        os.dup2(descriptor, 2)
        checkpoint.EVERY_SECONDS = checkpoint.LEAST_WORK = 0  # a checkpoint a step
        optimization.MIN_STEPS = 6
        moments = Moments(last)
        moments.watch(loop, "train_step")
        for name in ("fsync", "replace", "rename", "unlink", "rmdir"):
            moments.watch(os, name)
        sys.argv = ["sentiment", *arguments]
        try:
            main()
        except SystemExit as end:
            os.write(1, f"\n{MOMENTS}{moments.count}\n".encode())
            os._exit(int(end.code or 0))
        os._exit(99)
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "output": log.read_text().splitlines()}


if __name__ == "__main__":
    ends: list[dict[str, Any]] = []
    for each in json.loads(sys.argv[1]):
        last = each["kill"]
        if last is not None and last < 1:
            last = max(1, int(last * int(ends[0]["output"][-1].removeprefix(MOMENTS))))
        ends.append(run([*each["arguments"], "--out", each["out"]], last, Path(f"{each['out']}.log")))
    print(json.dumps(ends))
