"""Check what a fresh interpreter imports, and what it doesn't."""

import subprocess
import sys
from pathlib import Path

import pytest

import sentiment

ROOT = Path(sentiment.__file__).parents[1]


ABSENT_AFTER = {  # statements that one interpreter runs in this order
    "import sentiment; sentiment.__version__": {"torch", "spacy", "numpy", "polars", "pydantic"},
    "import sentiment.errors, sentiment.config, sentiment.text.vocabulary": {"torch", "spacy", "numpy"},
    "import sentiment; sentiment.load": {"flask", "gunicorn", "service", "polars", "sklearn", "matplotlib"},
    "import sentiment.training.trainer": {"scipy.stats", "sklearn", "matplotlib", "transformers", "service"},
}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """The modules that a fresh interpreter has after each statement."""
    script = "import sys\n" + "".join(f"{statement}\nprint(*sys.modules)\n" for statement in ABSENT_AFTER)
    answer = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = [set(line.split()) for line in answer.stdout.splitlines()]
    return dict(zip(ABSENT_AFTER, modules, strict=True))


@pytest.mark.parametrize("statement", ABSENT_AFTER)
def test_nothing_is_loaded_early(statement: str, loaded: dict[str, set[str]]) -> None:
    assert loaded[statement] & ABSENT_AFTER[statement] == set()


def test_what_is_public() -> None:
    from sentiment.classifier import Classifier, Prediction, load

    assert (sentiment.Classifier, sentiment.Prediction, sentiment.load) == (Classifier, Prediction, load)
    assert set(sentiment.__all__) == {
        "Classifier", "Prediction", "Regressor", "ValuePrediction", "__version__", "load",
    }  # fmt: skip
    assert dir(sentiment) == sorted(sentiment.__all__)
    with pytest.raises(AttributeError, match="module 'sentiment' has no attribute 'nothing'"):
        sentiment.nothing  # noqa: B018
