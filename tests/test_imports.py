"""What a fresh interpreter loads, and what it doesn't."""

import subprocess
import sys
from pathlib import Path

import pytest

import sentiment

ROOT = Path(sentiment.__file__).parents[1]


def modules_after(statement: str) -> set[str]:
    """The modules loaded by `statement` in an interpreter of its own."""
    script = f"{statement}\nimport sys\nprint(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import sentiment; sentiment.__version__", {"torch", "spacy", "numpy", "polars", "pydantic"}),
        ("import sentiment.errors, sentiment.config, sentiment.text.vocabulary", {"torch", "spacy", "numpy"}),
        ("import sentiment; sentiment.load", {"flask", "gunicorn", "service", "polars", "sklearn", "matplotlib"}),
        ("import sentiment.training.trainer", {"scipy.stats", "sklearn", "matplotlib", "transformers", "service"}),
    ],
)
def test_nothing_is_loaded_early(statement: str, absent: set[str]) -> None:
    assert modules_after(statement) & absent == set()


def test_what_is_public() -> None:
    from sentiment.classifier import Classifier, Prediction, load

    assert (sentiment.Classifier, sentiment.Prediction, sentiment.load) == (Classifier, Prediction, load)
    assert set(sentiment.__all__) == {
        "Classifier", "Prediction", "Regressor", "ValuePrediction", "__version__", "load",
    }  # fmt: skip
    with pytest.raises(AttributeError, match="module 'sentiment' has no attribute 'nothing'"):
        sentiment.nothing  # noqa: B018
