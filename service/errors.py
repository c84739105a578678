"""Define the errors of answering a request; problems.py turns them into responses."""


class Overloaded(Exception):
    """The queue is full; nothing was computed."""

    def __init__(self, waiting: int, limit: int) -> None:
        super().__init__(f"{waiting} texts are waiting; the limit is {limit}")


class DeadlinePassed(Exception):
    """The request's deadline has passed; texts not yet computed are dropped."""


class TextFailed(Exception):
    """The model fails at one text. `index` is its index in the caller's list."""

    def __init__(self, index: int) -> None:
        super().__init__(f"text {index} can't be computed")
        self.index = index


class NoLabels(Exception):
    """Sentences are requested from a regression model, which has no labels."""


class BatcherFailed(Exception):
    """The batcher has failed; the message says why."""


class ReloadRunning(Exception):
    """Another reload is still running."""


class ModelRefused(Exception):
    """A bundle is refused and no model was replaced; the message says why."""
