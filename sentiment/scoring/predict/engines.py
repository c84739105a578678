"""Predict texts in this process, or in several others that have the model too."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing.connection import wait
from pathlib import Path
from typing import Protocol, TypeVar

import torch

from sentiment.classifier import AnyModel, load
from sentiment.errors import BundleError
from sentiment.nn.precision import bfloat16_units, processor_maker
from sentiment.runtime import limit_onednn_cache
from sentiment.scoring.errors import EngineError
from sentiment.scoring.predict.predict import Answer, answer

ReturnT = TypeVar("ReturnT")
Pending = Callable[[], list[Answer]]  # waits for answers; raises EngineError if what was to give them is gone


class Engine(Protocol):
    """Answers lists of texts, several at a time. The same list has the same answers, to the last digit."""

    numeric_environment: dict[str, object]  # what of the machine decides the last digits, by name

    @property
    def ahead(self) -> int:
        """Return how many batches to submit before the answers of the first are needed."""

    def submit(self, texts: Sequence[str], *, sentences: bool = False) -> Pending:
        """Return an answer for each text, later: see `answer`."""

    def close(self) -> None:
        """Give up what isn't answered yet."""


class LocalEngine:
    """Answers in this process, at once."""

    ahead = 0

    def __init__(self, classifier: AnyModel) -> None:
        self._classifier = classifier
        self.numeric_environment = numeric_environment(torch.get_num_threads())

    def submit(self, texts: Sequence[str], *, sentences: bool = False) -> Pending:
        """Return an answer for each text."""
        answers = answer(self._classifier, texts, sentences=sentences)
        return lambda: answers

    def close(self) -> None:
        """Do nothing: no task is pending."""


class ProcessEngine:
    """Answers in `processes` others, each with the model of the folder and one thread: one for each core is quickest.

    Raises EngineError, from a result, where one died or holds another model than `version`.
    """

    def __init__(self, model: Path, version: str, processes: int, *, dtype: str = "float32") -> None:
        # A process that ran torch and forks can hang its children: one that only imported it forks them.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["sentiment.scoring.predict.engines"])
        self.numeric_environment = numeric_environment(threads=1)
        self.ahead = max(2, processes)  # batches: a short text's are one task each
        self._pool = ProcessPoolExecutor(processes, context, _begin, (str(model), version, dtype))

    def submit(self, texts: Sequence[str], *, sentences: bool = False) -> Pending:
        """Return an answer for each text, later."""
        return partial(_unless_one_died, _unless_one_died(self._pool.submit, _answer, texts, sentences).result)

    def close(self) -> None:
        """Give up what isn't answered yet."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _unless_one_died(call: Callable[..., ReturnT], *arguments: object) -> ReturnT:
    try:
        return call(*arguments)
    except BrokenProcessPool:
        raise EngineError("a process that holds the model died") from None


def numeric_environment(threads: int) -> dict[str, object]:
    """Return what, besides the model, decides an answer's last digits."""
    return {
        "threads": threads,
        "processor maker": processor_maker(),
        "processor units": torch.backends.cpu.get_cpu_capability(),
        "bfloat16 units": bfloat16_units(),
        "torch version": torch.__version__,
    }


_classifier: AnyModel | None = None  # of a process that answers for another


def _begin(model: str, version: str, dtype: str) -> None:
    global _classifier
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the one that began the others ends them
    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    limit_onednn_cache()
    _classifier = load(model, dtype=dtype, task=None)
    if _classifier.version != version:
        raise BundleError(model, f"is version {_classifier.version} now, and was {version}")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])  # killed, it can't say so
    os._exit(1)


def _answer(texts: Sequence[str], sentences: bool) -> list[Answer]:
    assert _classifier is not None
    return answer(_classifier, texts, sentences=sentences)
