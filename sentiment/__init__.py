"""Sentiment of texts by a small bidirectional LSTM: `sentiment.load().predict(["Not bad."])`."""

from typing import TYPE_CHECKING, Any

from sentiment.runtime import limit_openmp_spin, use_one_thread_after_fork

if TYPE_CHECKING:
    from sentiment.classifier import Classifier, Prediction, Regressor, ValuePrediction, load

__version__ = "0.1.0"
__all__ = ["Classifier", "Prediction", "Regressor", "ValuePrediction", "__version__", "load"]

limit_openmp_spin()  # before torch is loaded: OpenMP reads it then
use_one_thread_after_fork()


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    # Late, so that `import sentiment` and `sentiment --help` don't wait for torch.
    if name in ("Classifier", "Prediction", "Regressor", "ValuePrediction", "load"):
        from sentiment import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
