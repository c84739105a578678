"""A trace beside what the classifier itself says."""

import json

import pytest
import torch

from sentiment.classifier import Classifier
from sentiment.errors import ConfigError, TextError
from sentiment.explain.cell import QUANTITIES
from sentiment.explain.trace import MAX_TRACE_TOKENS
from tests.conftest import MakeBundle

TEXT = "A great film, is&nbsp;n't it?"


@pytest.mark.parametrize(
    "settings", [{}, {"num_layers": 2}, {"bidirectional": False}, {"num_layers": 2, "bias": False}]
)
def test_the_answer_and_its_shapes(make_bundle: MakeBundle, settings: dict[str, int | bool]) -> None:
    classifier = Classifier(make_bundle(embedding_size=5, hidden_size=6, **settings))
    seen = classifier.trace(TEXT)
    [prediction] = classifier.predict([TEXT])
    assert seen.prediction.probabilities == pytest.approx(prediction.probabilities, abs=1e-6)
    directions = 2 if settings.get("bidirectional", True) else 1
    letters = {"N": 1, "T": 8, "F": 5, "H": 6, "L": settings.get("num_layers", 1), "C": 3}
    for shape in seen.shapes:
        meant = tuple(letters[letter[-1]] * (int(letter[:-1]) if letter[:-1] else 1) for letter in shape.letters)
        assert shape.sizes == meant, shape.name
    names = ["token_ids", "lengths", "embedded", "output", "ht", "ct", "final", "logits", "probabilities"]
    assert [shape.name for shape in seen.shapes] == names
    assert len(seen.layers) == directions * int(letters["L"])
    for layer in seen.layers:
        assert tuple(layer.series) == QUANTITIES
        for series in layer.series.values():
            assert series.values.shape == (8, 6)
            assert series.means == pytest.approx(series.values.mean(dim=1).tolist())
            assert series.norms == pytest.approx(series.values.square().sum(dim=1).sqrt().tolist())


def test_the_states_traced_lead_to_the_answer(tiny_classifier: Classifier) -> None:
    seen = tiny_classifier.trace(TEXT)
    forward, backward = (layer.series["h"].values for layer in seen.layers)
    assert [layer.direction for layer in seen.layers] == ["forward", "backward"]
    logits = tiny_classifier.model.classifier(torch.cat([forward[-1], backward[0]]))
    probabilities = torch.softmax(logits / tiny_classifier.temperature, dim=-1).tolist()
    assert probabilities == pytest.approx(list(seen.prediction.probabilities.values()), abs=1e-5)


def test_the_running_probabilities_are_those_of_the_beginnings(tiny_classifier: Classifier) -> None:
    seen = tiny_classifier.trace("the film was not good !")
    words = "the film was not good !".split()
    predictions = tiny_classifier.predict([" ".join(words[:end]) for end in range(1, 7)])
    for label, running in seen.running.items():
        assert running == pytest.approx([each.probabilities[label] for each in predictions], abs=1e-6)


def test_the_tokens_are_where_they_stand(tiny_classifier: Classifier) -> None:
    seen = tiny_classifier.trace(TEXT)
    assert [token.text for token in seen.tokens] == ["A", "great", "film", ",", "is", "n't", "it", "?"]
    assert all(TEXT[token.start : token.end] == token.text for token in seen.tokens)
    assert [token.text for token in seen.tokens if token.unknown] == ["?"]


def test_a_trace_can_be_written_as_json(tiny_classifier: Classifier) -> None:
    seen = tiny_classifier.trace(TEXT)
    brief, whole = (json.loads(json.dumps(seen.as_dict(values=values))) for values in (False, True))
    assert brief["tokens"][0] == {"text": "A", "start": 0, "end": 1, "unknown": False}
    assert brief["shapes"][2] == {"name": "embedded", "letters": ["N", "T", "F"], "sizes": [1, 8, 8]}
    assert brief["prediction"]["label"] == seen.prediction.label
    assert brief["running"] == seen.running
    series = brief["layers"][1]["series"]["forget_gate"]
    assert series.keys() == {"means", "norms"}
    with_values = whole["layers"][1]["series"]["forget_gate"]
    assert with_values == series | {"values": seen.layers[1].series["forget_gate"].values.tolist()}


def test_what_has_no_trace(tiny_classifier: Classifier, make_bundle: MakeBundle) -> None:
    assert len(tiny_classifier.trace("good " * MAX_TRACE_TOKENS).tokens) == MAX_TRACE_TOKENS
    with pytest.raises(TextError, match=f"^text 0: has 513 tokens: a trace reads at most {MAX_TRACE_TOKENS}$"):
        tiny_classifier.trace("good " * (MAX_TRACE_TOKENS + 1))
    for text in (" ", "\u200b\u200b"):
        with pytest.raises(TextError, match="text 0: is empty or blank"):
            tiny_classifier.trace(text)
    with pytest.raises(ConfigError, match="a trace is computed in float32: the classifier's dtype is 'bfloat16'"):
        Classifier(make_bundle(), dtype="bfloat16").trace("good")


@pytest.mark.parametrize("settings", [{"encoder": "cnn"}, {"pooling": "max"}, {"initial_state": "learned"}])
def test_a_network_without_gates_to_show_is_refused(make_bundle: MakeBundle, settings: dict[str, str]) -> None:
    message = "a trace shows the gates of an LSTM whose final ht is classified: this model's encoder is "
    with pytest.raises(ConfigError, match=message):
        Classifier(make_bundle(**settings)).trace("A great film.")
