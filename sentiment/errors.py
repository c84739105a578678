"""Errors of the library: every error raised on purpose is a SentimentError."""


class SentimentError(Exception):
    """An error that the caller can fix; the message names the limit and the actual value."""


class ConfigError(SentimentError):
    """A setting is outside its range, unknown, or contradicts another."""


class TextError(SentimentError):
    """A text can't be answered. `index` is its place in the caller's list, `reason` says why."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(index, reason)  # its arguments, so that it survives pickling between processes
        self.index = index
        self.reason = reason

    def __str__(self) -> str:
        return f"text {self.index}: {self.reason}"


class BundleError(SentimentError):
    """A model folder is refused. `file` is the faulty file, `reason` what is wrong with it."""

    def __init__(self, file: str, reason: str) -> None:
        super().__init__(file, reason)
        self.file = file
        self.reason = reason

    def __str__(self) -> str:
        return f"model bundle refused: {self.file}: {self.reason}"


class DataError(SentimentError):
    """A table or a column can't be read, or lacks what training, evaluation or scoring needs."""


class ExportError(SentimentError):
    """An exported model does not answer as the original does."""


class CheckpointError(DataError):
    """A checkpoint can't be resumed: other data, model or settings, altered files, or in use by another process."""


class TrainingDivergedError(SentimentError):
    """A loss, a gradient or a score is not finite; no later step would change that."""


class ProcessLostError(SentimentError):
    """Another process of the same training ended, or was never reached."""


class TrackingError(SentimentError):
    """A store that a training reports to can't be used."""
