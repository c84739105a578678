import math
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import pearsonr

from sentiment.classifier import load
from sentiment.errors import DataError
from sentiment.evaluation.regression import evaluate_values, value_figures


def test_figures_by_hand() -> None:
    found = value_figures(np.array([1.0, 2.0, 4.0]), np.array([1.0, 3.0, 2.0]))
    assert found == {
        "pearson_r": pytest.approx(pearsonr([1, 2, 4], [1, 3, 2]).statistic),
        "mae": pytest.approx(1.0),
        "rmse": pytest.approx(math.sqrt(5 / 3)),
        "rows": 3,
    }


def test_r_is_0_where_nothing_changes() -> None:
    assert value_figures(np.ones(4), np.arange(4.0))["pearson_r"] == 0.0
    assert value_figures(np.arange(4.0), np.ones(4))["pearson_r"] == 0.0


def test_a_model_is_measured_by_what_it_answers(value_bundle: Path) -> None:
    regressor = load(value_bundle, task="regression")
    texts = ["a great film", "bad", "not good", "okay film", "awful", "very good"]
    values = [2.0, -1.0, 0.0, 0.5, -2.0, 1.0]
    found = evaluate_values(regressor, texts, values)
    predicted = [each.value for each in regressor.predict(texts)]
    assert {name: found[name] for name in ("pearson_r", "mae", "rmse", "rows")} == value_figures(
        np.array(predicted), np.array(values)
    )
    for name in ("pearson_r", "mae", "rmse"):
        bounds = found["intervals"][name]
        assert bounds["low"] < bounds["value"] == found[name] < bounds["high"]


def test_one_number_only_is_refused(value_bundle: Path) -> None:
    with pytest.raises(DataError, match="every row has the number 1.5; "):
        evaluate_values(load(value_bundle, task="regression"), ["good", "bad"], [1.5, 1.5])
