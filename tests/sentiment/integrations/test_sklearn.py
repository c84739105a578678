"""The estimator where scikit-learn's users put estimators."""

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

from sentiment import bundle as bundles
from sentiment import load
from sentiment.errors import ConfigError, DataError, TextError
from sentiment.integrations.sklearn import SentimentEstimator
from sentiment.training.loop import Progress

SMALL: dict[str, Any] = {
    "embedding_size": 8,
    "hidden_size": 8,
    "epochs": 2,
    "learning_rate": 0.02,
    "cross_validated_rows": 0,
}
WORDS = {"good": ("superb", "lovely", "fun"), "bad": ("dull", "awful", "poor"), "fair": ("okay", "average", "so so")}
ROWS = [(f"the {thing} number {n} was {word}", label) for n, thing in enumerate(("cast", "plot", "film", "score"))
        for label, words in WORDS.items() for word in words]  # fmt: skip
X, Y = [text for text, _ in ROWS], [label for _, label in ROWS]


class _NA:
    """Imitates pandas' NA, so that the tests don't need pandas."""

    def __ne__(self, other: object) -> "_NA":  # type: ignore[override]
        return self

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


@pytest.fixture(scope="module")
def fitted() -> SentimentEstimator:
    return SentimentEstimator(**{**SMALL, "epochs": 12}).fit(X, Y)


def test_it_learns_and_answers_in_the_order_of_its_classes(fitted: SentimentEstimator) -> None:
    assert fitted.classes_.tolist() == ["bad", "fair", "good"]
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (36, 3)
    assert probabilities.sum(axis=1) == pytest.approx(np.ones(36))
    assert (fitted.classes_[probabilities.argmax(axis=1)] == fitted.predict(X)).all()
    assert fitted.score(X, Y) == np.mean(fitted.predict(X) == Y) > 0.9
    assert fitted.predict([]).shape == (0,)


def test_it_answers_as_the_classifier_and_its_saved_folder(fitted: SentimentEstimator, tmp_path: Any) -> None:
    bundles.save(fitted.bundle_, tmp_path / "model")
    for row, one, two in zip(
        fitted.predict_proba(X), fitted.classifier_.predict(X), load(tmp_path / "model").predict(X), strict=True
    ):
        assert row.tolist() == list(one.probabilities.values())
        assert row == pytest.approx(list(two.probabilities.values()), abs=1e-5)


def test_it_starts_from_a_pretrained_model(tiny_bundle: Path) -> None:
    fitted = SentimentEstimator(start=str(tiny_bundle), epochs=1).fit(X, Y)
    assert fitted.bundle_.vocabulary.tokens == load(tiny_bundle).vocabulary.tokens
    with pytest.raises(ConfigError, match=r"model\.hidden_size: the pretrained model tiny has 8, not 16"):
        SentimentEstimator(start=str(tiny_bundle), hidden_size=16).fit(X, Y)


def test_english_starts_from_the_default_model_unless_the_network_is_given() -> None:
    fitted = SentimentEstimator(epochs=1, cross_validated_rows=0).fit(X, Y)
    default = load("default")
    assert fitted.bundle_.vocabulary.tokens == default.vocabulary.tokens
    own = SentimentEstimator(**SMALL).fit(X, Y)
    assert own.bundle_.vocabulary.tokens != default.vocabulary.tokens


def test_small_tables_are_judged_by_cross_validation() -> None:
    fitted = SentimentEstimator(**{**SMALL, "cross_validated_rows": 36}).fit(X, Y)
    [judged] = fitted.bundle_.metrics["dev"].values()
    assert judged["rows"] == 36


def test_rows_of_no_weight_teach_nothing() -> None:
    texts, labels = [*X, *X], [*Y, *(Y[::-1])]
    estimator = SentimentEstimator(**{**SMALL, "epochs": 12})
    shorter = [re.sub(" number .", "", text) for text in X]
    weighted = estimator.fit(texts, labels, sample_weight=[1.0] * 36 + [0.0] * 36, eval_set=(shorter, Y))
    assert weighted.score(X, Y) > 0.9
    for wrong in ([1.0] * 71 + [-1.0], [1.0] * 71 + [float("nan")], [0.0] * 72):
        with pytest.raises(DataError, match="sample_weight: "):
            estimator.fit(texts, labels, sample_weight=wrong)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        estimator.fit(texts, labels, sample_weight=[1.0])


def test_balanced_labels_weigh_the_same() -> None:
    texts, labels = [*X[:6], *["it was fine"] * 60], [*Y[:6], *["fair"] * 60]
    texts = [f"{text} {number}" for number, text in enumerate(texts)]
    balanced = SentimentEstimator(**{**SMALL, "class_weight": "balanced"}).fit(texts, labels)
    plain = SentimentEstimator(**SMALL).fit(texts, labels, sample_weight=[1.0] * 66)
    assert balanced.predict_proba(["superb"])[0, 1] < plain.predict_proba(["superb"])[0, 1]


def test_an_evaluation_set_judges_and_progress_is_called() -> None:
    seen: list[Progress] = []
    estimator = SentimentEstimator(**SMALL, progress=seen.append)
    fitted = estimator.fit(
        X, Y, eval_set=(["a superb thing", "a dull thing", "an okay thing"], ["good", "bad", "fair"])
    )
    assert list(fitted.bundle_.metrics["dev"]) == ["eval_set"]
    assert [each.epoch for each in seen if each.dev_score is not None] == [1, 2]
    with pytest.raises(DataError, match="eval_set: the label 'fair' is not in both"):
        estimator.fit(X, Y, eval_set=(["superb", "dull"], ["good", "bad"]))


@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_mixin_order",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
def test_what_scikit_learn_asks_of_estimators_of_any_input(check: str) -> None:
    getattr(estimator_checks, check)("SentimentEstimator", SentimentEstimator())


def test_fitting_again_forgets_and_changes_no_parameter() -> None:
    estimator = SentimentEstimator(**SMALL)
    before = estimator.get_params()
    first = estimator.fit(X, Y).predict_proba(X)
    other = estimator.fit(X[:18], [label.upper() for label in Y[:18]])
    assert other is estimator
    assert other.classes_.tolist() == ["BAD", "FAIR", "GOOD"]
    assert estimator.fit(X, Y).predict_proba(X).tolist() == first.tolist()
    assert estimator.get_params() == before
    assert estimator.set_params(random_state=1).fit(X, Y).predict_proba(X).tolist() != first.tolist()


def test_subsets_and_orders_of_texts_change_nothing(fitted: SentimentEstimator) -> None:
    whole = fitted.predict_proba(X)
    assert np.vstack([fitted.predict_proba([text]) for text in X]) == pytest.approx(whole, abs=1e-5)
    assert fitted.predict_proba(X[::-1]) == pytest.approx(whole[::-1], abs=1e-5)


def test_unfitted_it_says_so_and_a_clone_is_unfitted(fitted: SentimentEstimator) -> None:
    assert clone(fitted).get_params() == fitted.get_params()
    with pytest.raises(NotFittedError, match="This SentimentEstimator instance is not fitted yet"):
        clone(fitted).predict(X)


def test_it_travels_between_processes(fitted: SentimentEstimator) -> None:
    copy = pickle.loads(pickle.dumps(fitted))  # noqa: S301  # our own bytes: this is what joblib's workers do
    assert copy.predict_proba(X).tolist() == fitted.predict_proba(X).tolist()
    assert pickle.loads(pickle.dumps(clone(fitted))).get_params() == fitted.get_params()  # noqa: S301


@pytest.mark.parametrize(
    "make",
    [list, tuple, np.array, pl.Series, pa.array, lambda rows: pa.chunked_array([rows[:9], rows[9:]])],
    ids=["list", "tuple", "numpy", "polars", "Arrow", "Arrow in chunks"],
)
def test_texts_and_labels_of_every_kind(make: Any) -> None:
    labels = make([{"bad": -1, "fair": 0, "good": 10}[label] for label in Y])
    estimator = SentimentEstimator(**SMALL).fit(make(X), labels)
    assert estimator.classes_.tolist() == [-1, 0, 10]  # by number, not by name
    assert set(estimator.predict(make(X)).tolist()) <= {-1, 0, 10}
    assert estimator.predict_proba(make(X)).shape == (36, 3)


def test_labels_in_a_column_are_taken_with_scikit_learns_warning() -> None:
    with pytest.warns(DataConversionWarning):
        estimator = SentimentEstimator(**SMALL).fit(X, np.array(Y)[:, None])
    assert estimator.classes_.tolist() == ["bad", "fair", "good"]
    with pytest.warns(DataConversionWarning), pytest.raises(DataError, match="y: row 36 has no label"):
        SentimentEstimator(**SMALL).fit(X, [*([label] for label in Y[1:]), [None]])


def test_numpy_scalars_are_settings() -> None:
    numpy_settings = {name: np.array([value])[0] for name, value in SMALL.items()}
    one = SentimentEstimator(**numpy_settings, random_state=np.int64(3)).fit(X, Y)
    assert (
        one.predict_proba(X).tolist() == SentimentEstimator(**SMALL, random_state=3).fit(X, Y).predict_proba(X).tolist()
    )
    grid = GridSearchCV(SentimentEstimator(**SMALL), {"hidden_size": np.arange(4, 9, 4)}, cv=2, error_score="raise")
    assert grid.fit(X, Y).best_params_["hidden_size"] in (4, 8)


def test_without_a_random_state_it_differs_from_fit_to_fit() -> None:
    one, other = (SentimentEstimator(**SMALL, random_state=None).fit(X, Y).predict_proba(X) for _ in range(2))
    assert one.tolist() != other.tolist()
    drawn = (SentimentEstimator(**SMALL, random_state=np.random.RandomState(1)).fit(X, Y) for _ in range(2))
    one, other = (estimator.predict_proba(X) for estimator in drawn)
    assert one.tolist() == other.tolist()


def test_numbers_as_labels_are_learned_as_numbers() -> None:
    numbers = [{"bad": 2, "fair": 10, "good": 1}[label] for label in Y]
    estimator = SentimentEstimator(**{**SMALL, "epochs": 12}).fit(X, numbers)
    assert estimator.score(X, numbers) > 0.9


def test_cross_val_score_equals_a_hand_loop() -> None:
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    scores = cross_val_score(SentimentEstimator(**SMALL), X, Y, cv=folds)
    by_hand = []
    for learned, held_out in folds.split(X, Y):
        estimator = SentimentEstimator(**SMALL).fit([X[row] for row in learned], [Y[row] for row in learned])
        answers = estimator.predict([X[row] for row in held_out])
        by_hand.append(accuracy_score([Y[row] for row in held_out], answers))
    assert scores.tolist() == by_hand


def test_a_grid_search_in_a_pipeline() -> None:
    pipeline = Pipeline(
        [("shorten", FunctionTransformer(_shorten)), ("model", SentimentEstimator(**{**SMALL, "epochs": 12}))]
    )
    search = GridSearchCV(pipeline, {"model__learning_rate": [1e-9, 0.02]}, cv=2).fit(X, Y)
    assert search.best_params_ == {"model__learning_rate": 0.02}
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert search.predict(X).tolist() == search.best_estimator_.predict(X).tolist()
    assert search.score(X, Y) > 0.9


def test_calibration_around_it() -> None:
    calibrated = CalibratedClassifierCV(SentimentEstimator(**SMALL), cv=2).fit(X, Y)
    assert calibrated.predict_proba(X).sum(axis=1) == pytest.approx(np.ones(36))
    assert calibrated.classes_.tolist() == ["bad", "fair", "good"]


@pytest.mark.parametrize(
    ("settings", "texts", "labels", "error", "message"),
    [
        ({}, np.array([X, X]), Y, DataError, r"not an array of shape \(2, 36\)"),
        ({}, pl.DataFrame({"text": X}), Y, DataError, r"as in table\['text'\]"),
        ({}, "good", ["a"], DataError, r"wrap a single one in \[\]"),
        ({}, X, "good", DataError, "y is a list of labels, one a text, not str"),
        ({}, X, None, DataError, "y is a list of labels, one a text, not NoneType"),
        ({}, X, [*Y[:3], None, *Y[4:]], DataError, "y: row 4 has no label"),
        ({}, X, [np.nan, *Y[1:]], DataError, "y: row 1 has no label"),
        ({}, X, pl.Series([*Y[:35], None]), DataError, "y: row 36 has no label"),
        ({}, X, pa.array([*Y[:35], None]), DataError, "y: row 36 has no label"),
        ({}, X, [_NA(), *Y[1:]], DataError, "y: row 1 has no label"),
        ({}, X, [1, *Y[1:]], DataError, "y: labels are of one kind, not int and str"),
        ({}, X, np.array([Y, Y]).T, ValueError, r"y should be a 1d array, got an array of shape \(36, 2\)"),
        ({}, [], [], DataError, "there is no row"),
        ({}, X, Y[1:], ValueError, "inconsistent numbers of samples: .*36, 35"),
        ({}, X, ["good"] * 36, DataError, "every row has the label 'good'; add rows with another"),
        ({}, X, ["rare", *["good"] * 35], DataError, "row 1: only this row has the label 'rare'"),
        ({}, [" ", *X[1:]], Y, TextError, "text 0: is empty or blank"),
        ({}, [None, *X[1:]], Y, TextError, "text 0: must be a str, not NoneType"),
        ({}, ["good", "bad"] * 18, ["a", "b"] * 18, DataError, "every text is in several rows"),
        ({"hidden_size": 0}, X, Y, ConfigError, "model.hidden_size: .* not 0"),
        ({"language": "xx9"}, X, Y, ConfigError, "text.language: .* not 'xx9'"),
        ({"random_state": -1}, X, Y, ConfigError, "training.seed: .* not -1"),
        ({"random_state": "now"}, X, Y, ValueError, "'now' cannot be used to seed"),
    ],
)
def test_what_cannot_be_learned_is_said(
    settings: dict[str, Any], texts: Any, labels: Any, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        SentimentEstimator(**{**SMALL, **settings}).fit(texts, labels)


def _shorten(texts: list[str]) -> list[str]:
    return [text.removeprefix("the ") for text in texts]
