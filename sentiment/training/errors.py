"""Errors of training."""

from sentiment.errors import SentimentError


class TrainingDivergedError(SentimentError):
    """A loss, a gradient or a score is no longer a finite number: no later step would mend it."""


class ProcessLostError(SentimentError):
    """Another process of the same training ended, or was never reached."""


class TrackingError(SentimentError):
    """A store that a training is to be followed in can't be used."""


class CheckpointError(SentimentError):
    """A checkpoint can't be resumed: other data or settings, altered files, or in use by another training."""
