import pickle

import pytest

from sentiment.errors import BundleError, ConfigError, DataError, SentimentError, TextError


@pytest.mark.parametrize("error", [ConfigError("x"), TextError(0, "x"), BundleError("f", "x"), DataError("x")])
def test_each_is_a_sentiment_error(error: Exception) -> None:
    assert isinstance(error, SentimentError)


@pytest.mark.parametrize("error", [TextError(3, "is empty"), BundleError("labels.json", "is missing")])
def test_an_error_survives_the_way_between_processes(error: SentimentError) -> None:
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)
