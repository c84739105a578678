"""Predict texts on a Ray cluster: a worker process a core, each with the model, wherever Ray puts them.

Which worker answers what, and when, is Ray's: it gives a task to the next free core, starts workers on nodes that join,
and runs again elsewhere what a dead worker or node held. A worker keeps the model from its first task on.
"""

import logging
import os
import signal
import socket
import tempfile
from collections.abc import Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch

from sentiment import __version__
from sentiment.classifier import AnyModel, load
from sentiment.errors import BundleError, DataError, SentimentError
from sentiment.runtime import limit_onednn_cache
from sentiment.scoring.errors import EngineError
from sentiment.scoring.predict.engines import Pending, numeric_environment
from sentiment.scoring.predict.predict import Answer, answer

CONNECT_SECONDS = 10.0
BATCHES_PER_CORE = 2  # one that is answered and one that waits: more would only take memory
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # else it warns of what it will do one day
}


class RayEngine:
    """Answers on the Ray cluster at `address`, or on one of this machine alone that begins and ends with the engine.

    The model goes to the nodes through Ray; all they need is this package. `processes` is how many cores a cluster
    of this machine has: else all. Raises DataError if there is no Ray or no cluster at the address, and EngineError,
    also from a result, where a node computes other last digits than the first, or Ray gives up on a task.
    """

    def __init__(
        self,
        model: Path,
        version: str,
        *,
        address: str | None = None,
        processes: int | None = None,
        dtype: str = "float32",
    ) -> None:
        self._ray = _connect(address, processes)
        try:
            files = {path.name: path.read_bytes() for path in Path(model).iterdir() if path.is_file()}
            # In a list, or Ray would decompress the files for every task.
            self._held = ([self._ray.put(files)], version, dtype, __version__)
            self._task = self._ray.remote(_answer)
            self.numeric_environment: dict[str, object] = {}
            _, self.numeric_environment, _ = self._get(self._task.remote(*self._held, False, []))
        except BaseException:
            self.close()
            raise

    @property
    def ahead(self) -> int:
        """Return how many batches to submit before the answers of the first are needed: more as the cluster grows."""
        return BATCHES_PER_CORE * max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def submit(self, texts: Sequence[str], *, sentences: bool = False) -> Pending:
        """Return an answer for each text, later."""
        return partial(self._answers, self._task.remote(*self._held, sentences, texts))

    def _answers(self, task: Any) -> list[Answer]:
        """Wait for a task's answers. Raises EngineError for a node with another numeric environment."""
        node, found, answers = self._get(task)
        if found != self.numeric_environment:
            differences = "; ".join(
                f"{name} is {found[name]!r} there, and was {self.numeric_environment[name]!r}"
                for name in found
                if found[name] != self.numeric_environment[name]
            )
            reason = f"the Ray node {node} computes other last digits than the first one: {differences}"
            raise EngineError(f"{reason}; give the job nodes of one kind")
        return answers

    def close(self) -> None:
        """Give up what isn't answered yet, and end a cluster of this machine alone."""
        self._ray.shutdown()

    def _get(self, task: Any) -> "_Found":
        try:
            return self._ray.get(task)
        except self._ray.exceptions.RayError as error:
            cause = getattr(error, "cause", error)  # what a task raised, or what became of it
            if isinstance(cause, SentimentError):
                raise cause from None
            raise EngineError(f"Ray gave up on a task: {_one_line(cause)}") from None


def _connect(address: str | None, processes: int | None) -> Any:
    """Return the module, connected to the cluster."""
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError:
        raise DataError("Ray is not installed; pip install 'sentiment-bilstm[ray]'") from None
    if address is not None:
        _check_answers(address)
    on_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=address or "local",
            num_cpus=None if address else processes or len(os.sched_getaffinity(0)),
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.CRITICAL,
        )
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        where = "could not be started" if address is None else f"at {address} could not be joined"
        raise DataError(f"Ray {where}: {_one_line(error)}") from None
    finally:
        signal.signal(signal.SIGTERM, on_sigterm)  # Ray has one of its own, which ends without a word
    return ray


def _check_answers(address: str) -> None:
    # Ray asks again for minutes, and says nothing meanwhile.
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return  # "auto", or what Ray refuses at once
    try:
        socket.create_connection((host, int(port)), CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise DataError(f"Ray: no cluster answers at {address}: {_one_line(error)}") from None


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.300}"


_Found = tuple[str, dict[str, object], list[Answer]]  # the node, what decides its last digits, and the answers


def _answer(model: list[Any], version: str, dtype: str, package: str, sentences: bool, texts: Sequence[str]) -> _Found:
    import ray

    node = ray.util.get_node_ip_address()
    if package != __version__:
        raise EngineError(f"the Ray node {node} has sentiment-bilstm {__version__}, and this is {package}")
    return node, numeric_environment(threads=1), answer(_load(model[0], version, dtype), texts, sentences=sentences)


@lru_cache(maxsize=1)
def _load(model: Any, version: str, dtype: str) -> AnyModel:
    import ray

    torch.set_num_threads(1)
    limit_onednn_cache()
    with tempfile.TemporaryDirectory() as folder:
        for name, content in ray.get(model).items():
            (Path(folder) / name).write_bytes(content)
        classifier = load(folder, dtype=dtype, task=None)
    if classifier.version != version:
        raise BundleError("the model", f"is version {classifier.version} now, and was {version}")
    return classifier
