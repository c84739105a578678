import numpy as np
import pytest

from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.evaluation.answers import answer


def test_answers_are_over_the_labels_of_the_file(tiny_classifier: Classifier) -> None:
    found = answer(tiny_classifier, ["good film", "bad film"], ["positive", "negative"])
    assert (found.labels, found.renormalized, found.true.tolist()) == (("negative", "positive"), True, [1, 0])
    first = found.predictions[0].probabilities
    both = first["negative"] + first["positive"]
    assert found.probabilities[0] == pytest.approx([first["negative"] / both, first["positive"] / both])
    assert found.confidence.tolist() == found.probabilities.max(axis=1).tolist()


def test_another_temperature_is_another_softmax_of_the_same_logits(tiny_classifier: Classifier) -> None:
    found = answer(tiny_classifier, ["good film", "bad film", "okay"], ["positive", "negative", "neutral"])
    assert found.at_temperature(1.0) == pytest.approx(found.probabilities)
    doubled = np.log(found.at_temperature(2.0))
    logits = np.log(found.probabilities)
    assert doubled[:, 0] - doubled[:, 1] == pytest.approx((logits[:, 0] - logits[:, 1]) / 2)


def test_a_label_the_model_lacks_is_named(tiny_classifier: Classifier) -> None:
    with pytest.raises(DataError, match="row 2 has the label 'mixed'; the model knows negative, neutral, positive"):
        answer(tiny_classifier, ["good", "bad"], ["positive", "mixed"])


def test_one_label_alone_tells_nothing(tiny_classifier: Classifier) -> None:
    with pytest.raises(DataError, match="every row has the label 'positive'; "):
        answer(tiny_classifier, ["good", "bad"], ["positive", "positive"])
