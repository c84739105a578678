"""What can go wrong between a request and its answer, by name; problems.py says what the client reads of it."""


class Overloaded(Exception):
    """As many texts wait as may; nothing was computed."""

    def __init__(self, waiting: int, limit: int) -> None:
        super().__init__(f"{waiting} texts are waiting; the limit is {limit}")


class DeadlinePassed(Exception):
    """The caller's time is over; what was not yet computed never will be."""


class TextFailed(Exception):
    """The model fails at this one text. `index` is its place in the caller's list."""

    def __init__(self, index: int) -> None:
        super().__init__(f"text {index} can't be computed")
        self.index = index


class NoLabels(Exception):
    """The model answers with a number, and labels are asked for, sentence by sentence."""


class BatcherFailed(Exception):
    """The batcher answers nothing any more; the message says why."""


class ReloadRunning(Exception):
    """Another reload has not ended yet."""


class ModelRefused(Exception):
    """A bundle is refused, and nothing was swapped; the message says why."""
