import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sentiment
from sentiment.classifier import Prediction, ValuePrediction
from sentiment.errors import ConfigError
from sentiment.scoring import score
from sentiment.scoring.drift import (
    METRIC,
    Drift,
    build_baseline,
    chance_level,
    drift,
    meaning,
    read_baselines,
    stability_index,
)
from sentiment.scoring.statistics import Tally

OLD_BUNDLE = Path(__file__).parents[2] / "data" / "bundle_format_1"


def said(label: str, confidence: float = 0.9, tokens: int = 10, unknown: int = 0) -> Prediction:
    return Prediction(label, {"good": confidence, "bad": 1 - confidence}, tokens, unknown, truncated=False)


def tallied(*predictions: Prediction | ValuePrediction) -> Tally:
    tally = Tally()
    tally.add(predictions)
    return tally


def found(rows: Tally, **sets: list[Any]) -> dict[tuple[str, str], Drift]:
    baselines = read_baselines({METRIC: {name: build_baseline(predictions) for name, predictions in sets.items()}})
    return {(each.data, each.of): each for each in drift(rows, baselines)}


def test_the_index_by_hand() -> None:
    assert stability_index([60, 40], [600, 400]) == pytest.approx(0)
    assert stability_index([50, 50], [20, 80]) == pytest.approx(0.3 * math.log(2.5) - 0.3 * math.log(0.625))
    assert stability_index([0, 10, 0], [0, 0, 10]) == pytest.approx(2 * 0.95 * math.log(20))  # half a row for none
    assert stability_index([20, 80], [50, 50]) == stability_index([50, 50], [20, 80])


def test_chance_stays_under_its_bound_19_times_in_20() -> None:
    rng = np.random.default_rng(0)
    expected = rng.multinomial(2000, [0.2] * 5, size=2000)
    found = [stability_index(row, other) for row, other in zip(expected, rng.permutation(expected), strict=True)]
    assert np.mean(np.array(found) < chance_level(5, 2000, 2000)) == pytest.approx(0.95, abs=0.02)


def test_each_respect_is_told_apart_and_the_nearest_set_comes_first() -> None:
    dev = [said("good"), said("bad", 0.3)] * 500
    rows = tallied(*[said("good"), said("bad", 0.3), said("good", tokens=10, unknown=5)] * 400)
    reviews = [said("good", tokens=300)] * 500
    drifts = found(rows, reviews=reviews, tweets=dev)
    assert [each[0] for each in drifts] == ["tweets"] * 4 + ["reviews"] * 4
    assert [each[1] for each in drifts][:4] == ["lengths", "unknown tokens", "labels", "confidence"]
    amounts = [drifts["tweets", of].amount for of in ("lengths", "unknown tokens", "labels")]
    assert amounts == ["little", "much", "some"]
    assert drifts["reviews", "lengths"].amount == "much"
    assert meaning(list(drifts.values())) == (
        "Much drift in unknown tokens even from tweets, the nearest dev set: the model was judged by other texts, so "
        "label some of these and see its figures (sentiment evaluate)."
    )


def test_a_handful_of_rows_tells_nothing() -> None:
    drifts = found(tallied(said("good"), said("good")), dev=[said("good"), said("bad", 0.3)] * 500)
    assert drifts["dev", "labels"].amount == "too few rows to tell"
    assert meaning(list(drifts.values())) == (
        "Too few rows to tell whether they are like the texts that the model was judged by."
    )
    assert found(tallied(), dev=[said("good")]) == {}


def test_labels_under_a_threshold_are_not_compared() -> None:
    dev = [said("good"), said("bad", 0.3)] * 500
    assert ("dev", "labels") not in found(tallied(said("good"), said("uncertain", 0.5)), dev=dev)
    assert ("dev", "labels") in found(tallied(said("good"), said("uncertain", 0.5)), dev=[*dev, said("uncertain")])


def test_a_label_never_given_on_dev_data_counts() -> None:
    assert found(tallied(*[said("bad", 0.3)] * 300), dev=[said("good")] * 300)["dev", "labels"].amount == "much"


def test_numbers_drift_in_lengths_and_unknown_tokens() -> None:
    numbers = [ValuePrediction(-0.5, 20, 1, truncated=False)] * 300
    assert (tallied(*numbers).labels, sum(tallied(*numbers).confidences)) == ({}, 0)
    assert {of: each.amount for (_, of), each in found(tallied(*numbers), dev=numbers).items()} == {
        "lengths": "little",
        "unknown tokens": "little",
    }


def test_what_is_kept_is_json_and_is_checked() -> None:
    kept = json.loads(json.dumps(build_baseline([said("good", tokens=3, unknown=1)])))
    assert (kept["labels"], kept["tokens"], kept["unknown_tokens"], kept["lengths"][1]) == ({"good": 1}, 3, 1, 1)
    assert "texts" not in kept
    with pytest.raises(ConfigError, match="lengths: Tuple should have at least 24 items"):
        read_baselines({METRIC: {"dev": {**kept, "lengths": [1, 2]}}})


def test_a_model_from_before_knows_of_no_drift(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\n")
    assert score(sentiment.load(OLD_BUNDLE), tmp_path / "in.txt", tmp_path / "out.csv").drift is None
