"""The loss at every step: what carries it, and what a model learns by it."""

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from sentiment.batching import PaddedBatch
from sentiment.classifier import Classifier, Regressor
from sentiment.config import ModelConfig, TrainingConfig
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.training.data.splits import read_data
from sentiment.training.optimization import adamw, flatten_steps, train_step
from sentiment.training.recipe import Recipe
from sentiment.training.trainer import train
from tests.conftest import MakeBundle

STEPWISE: dict[str, Any] = {"pooling": "stepwise", "bidirectional": False}
TARGETS = torch.tensor([[1.0, 0.0], [0.0, 1.0]])


def test_padding_carries_no_loss() -> None:
    logits = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    steps, targets = flatten_steps(logits, TARGETS, torch.tensor([4, 2]))
    assert torch.equal(steps, torch.cat([logits[0], logits[1, :2]]))
    assert targets.tolist() == [[1, 0]] * 4 + [[0, 1]] * 2
    functional.cross_entropy(steps, targets).backward()
    assert logits.grad is not None
    assert logits.grad[1, 2:].abs().max() == 0
    assert logits.grad[1, :2].abs().min() > 0
    spoiled = logits.detach().clone()
    spoiled[1, 2:] = torch.nan
    again, _ = flatten_steps(spoiled, TARGETS, torch.tensor([4, 2]))
    assert functional.cross_entropy(again, targets) == functional.cross_entropy(steps, targets)


def model_of(**settings: Any) -> SentimentModel:
    torch.manual_seed(0)
    config = ModelConfig.of(
        {"embedding_size": 4, "hidden_size": 4, "embedding_dropout": 0.0, "output_dropout": 0.0, **settings}
    )
    return SentimentModel(config, vocabulary_size=9, num_classes=2).train()


def test_a_step_of_training_is_judged_at_every_step(dtype: str) -> None:
    rows, config = [[2, 3, 4, 5], [6, 7]], TrainingConfig(word_dropout=0.0, dtype=dtype)
    stepwise, final = model_of(**STEPWISE), model_of(bidirectional=False)
    final.load_state_dict(stepwise.state_dict())
    logits = stepwise.steps(PaddedBatch.of(rows)).detach()
    by_hand = [
        functional.cross_entropy(logits[row, step], TARGETS[row]) for row in (0, 1) for step in range(4 - 2 * row)
    ]
    found = [train_step(model, rows, TARGETS, adamw(model, config), config) for model in (stepwise, final)]
    assert found[0] == pytest.approx(float(torch.stack(by_hand).mean()), rel=0.02)
    assert found[1] == pytest.approx(float(torch.stack([by_hand[3], by_hand[5]]).mean()), rel=0.02)
    assert found[0] != pytest.approx(found[1], rel=0.001)


def recipe_of(path: Path, rows: list[tuple[str, object]], **settings: Any) -> Recipe:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows))
    return Recipe.of(
        {
            "name": "toy",
            "train": [{"path": path}],
            "model": {"embedding_size": 8, "hidden_size": 8, "encoder": "lstm", **STEPWISE},
            "training": {"epochs": 4, "learning_rate": 0.02},
            **settings,
        }
    )


def texts_of(words: dict[str, object], rows: int) -> list[tuple[str, object]]:
    rng = random.Random(0)
    fillers = ["so", "then", "the", "film", "ended", "there"]
    return [
        (f"{word} {' '.join(rng.choices(fillers, k=rng.randrange(1, 6)))} {n}", words[word])
        for n, word in enumerate(rng.choices(list(words), k=rows))
    ]


def test_it_is_sure_from_the_first_word_on(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path / "a.csv", texts_of({"superb": "positive", "dull": "negative"}, 200))
    bundle = train(recipe, read_data(recipe), lambda _: None)
    classifier = Classifier(bundle)
    steps = classifier.predict_steps("superb so the film ended there")
    assert [each.tokens for each in steps] == [1, 2, 3, 4, 5, 6]
    assert [each.label for each in steps] == ["positive"] * 6
    assert {each.label for each in classifier.predict_steps("dull so the film ended there")} == {"negative"}


def test_a_number_after_each_word(tmp_path: Path) -> None:
    rows = texts_of({"superb": 4.0, "dull": -4.0}, 200)
    recipe = recipe_of(tmp_path / "a.csv", rows, task="regression")
    regressor = Regressor(train(recipe, read_data(recipe), lambda _: None))
    steps = regressor.predict_steps("superb so the film ended there")
    assert len(steps) == 6
    assert min(each.value for each in steps) > 1
    [whole] = regressor.predict(["superb so the film ended there"])
    assert steps[-1].value == pytest.approx(whole.value, abs=1e-5)
    assert (steps[-1].tokens, steps[-1].unknown_tokens) == (whole.tokens, whole.unknown_tokens)


def test_the_steps_are_the_running_probabilities_of_a_trace(make_bundle: MakeBundle) -> None:
    text = "A great film, it is not bad."
    classifier = Classifier(make_bundle(**STEPWISE))
    steps, trace = classifier.predict_steps(text), classifier.trace(text)
    assert trace.running == {label: [each.probabilities[label] for each in steps] for label in classifier.labels}
    [whole] = classifier.predict([text])
    assert trace.prediction.probabilities == pytest.approx(whole.probabilities, abs=1e-6)
    beginnings = classifier.classify([type(each)(each.token_ids[:3], False) for each in classifier.encode([text])])
    assert steps[2].probabilities == pytest.approx(beginnings[0].probabilities, abs=1e-6)


def test_a_network_that_reads_both_ways_has_no_steps(make_bundle: MakeBundle) -> None:
    with pytest.raises(ConfigError, match="an answer after each word takes a network that reads one way"):
        Classifier(make_bundle()).predict_steps("A great film.")
