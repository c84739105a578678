"""Start small tables from a linear model of their rows."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, Regressor
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.text.vocabulary import Vocabulary
from sentiment.training import linear_start
from sentiment.training.data.splits import read_data
from sentiment.training.linear_start import LinearTeacher, is_small, small_table_recipe, start_from, transfer_rows
from sentiment.training.preparation import prepare
from sentiment.training.recipe import Recipe
from sentiment.training.resume.fingerprint import training_fingerprint
from sentiment.training.trainer import train

TOKENS = [["very", "good", "food"], ["bad", "service"], ["good", "room"], ["bad", "bad", "bed"]]
TARGETS = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # (N, C)


def ruled_rows(rows: int, seed: int) -> list[tuple[str, str]]:
    """Return texts of twelve words of 300, the first half of which speak for one label, the others for the other."""
    rng = random.Random(seed)
    found = []
    for _ in range(rows):
        numbers = [rng.randrange(300) for _ in range(12)]
        label = "for" if sum(number < 150 for number in numbers) > 6 else "against"
        found.append((" ".join(spelt(number) for number in numbers), label))
    return found


def spelt(number: int) -> str:
    return "".join("bdfgklmnpr"[int(digit)] + "aeiou"[int(digit) % 5] for digit in f"{number * 7919 % 1000:03d}")


def recipe_of(path: Path, rows: Sequence[tuple[str, object]], **settings: Any) -> Recipe:
    settings["training"] = {"linear_start": True, **settings.get("training", {})}
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), encoding="utf-8")
    return Recipe.of({"name": "toy", "train": [{"path": path}], **settings})


def accuracy(bundle: Bundle, rows: list[tuple[str, str]]) -> float:
    answers = Classifier(bundle).predict([text for text, _ in rows])
    return sum(answer.label == label for answer, (_, label) in zip(answers, rows, strict=True)) / len(rows)


def test_a_rule_of_words_is_learned_better_than_without(tmp_path: Path) -> None:
    unseen = ruled_rows(300, 1)
    found = []
    for linear in (True, False):
        settings = {"training": {"linear_start": linear, "epochs": 2, "dtype": "float32"}}
        recipe = recipe_of(tmp_path / "a.csv", ruled_rows(300, 0), **settings)
        found.append(accuracy(train(recipe, read_data(recipe), lambda _: None), unseen))
    assert found[0] > found[1] + 0.05
    assert found[0] > 0.75


def test_numbers_are_learned_better_than_without(tmp_path: Path) -> None:
    rows = [(text, sum(spelt(number) in text for number in range(150))) for text, _ in ruled_rows(600, 0)]
    found = []
    for linear in (True, False):
        settings = {"training": {"linear_start": linear, "epochs": 4, "dtype": "float32"}}
        recipe = recipe_of(tmp_path / "a.csv", rows[:300], task="regression", **settings)
        regressor = Regressor(train(recipe, read_data(recipe), lambda _: None))
        values = [each.value for each in regressor.predict([text for text, _ in rows[300:]])]
        true = [float(number) for _, number in rows[300:]]
        found.append(float(torch.corrcoef(torch.tensor([values, true]))[0, 1]))
    assert found[0] > found[1] + 0.1


def test_a_killed_training_resumes_to_the_same_weights(
    tmp_path: Path, train_killed_once: Callable[[Recipe], Bundle]
) -> None:
    settings = {"training": {"epochs": 3, "dtype": "float32"}, "model": {"embedding_size": 8, "hidden_size": 8}}
    recipe = recipe_of(tmp_path / "a.csv", ruled_rows(60, 0), **settings)
    killed = train_killed_once(recipe)
    whole = train(recipe, read_data(recipe), lambda _: None)
    versions = [bundles.save(each, tmp_path / name) for name, each in (("whole", whole), ("killed", killed))]
    assert versions[0] == versions[1]


def test_settings_that_are_given_stay(tmp_path: Path) -> None:
    given = {"model": {"hidden_size": 128}, "training": {"learning_rate": 0.1}, "vocabulary": {"min_count": 2}}
    recipe = small_table_recipe(recipe_of(tmp_path / "a.csv", [], **given), has_vectors=False)
    assert (recipe.model.hidden_size, recipe.training.learning_rate, recipe.vocabulary.min_count) == (128, 0.1, 2)
    assert recipe.model.embedding_size == 32
    assert small_table_recipe(recipe_of(tmp_path / "a.csv", []), has_vectors=True).model.embedding_size == 100


def test_only_small_tables_of_one_source_start_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = recipe_of(tmp_path / "a.csv", ruled_rows(40, 0))
    data = read_data(recipe)
    assert is_small(recipe, data)
    assert not is_small(recipe.model_copy(update={"training": recipe.training.model_copy(
        update={"linear_start": False})}), data)  # fmt: skip
    for other in ({"train": (recipe.train[0], recipe.train[0])}, {"train": (recipe.train[0].model_copy(
        update={"repeat": 2}),)}):  # fmt: skip
        several = recipe.model_copy(update=other)
        assert not is_small(several, read_data(several))
    monkeypatch.setattr(linear_start, "MAX_ROWS", 10)
    assert not is_small(recipe, data)


def test_texts_to_learn_from_are_spans_of_the_rows() -> None:
    rows = [["a", "b", "c", "d"], ["e", "f", "g"], []]
    made = transfer_rows(rows, [], 0)
    assert made == transfer_rows(rows, [], 0) != transfer_rows(rows, [], 1)
    assert len(made) == 180
    assert {pair for row in made for pair in pairwise(row)} > {("a", "b"), ("e", "f")}
    assert {token for row in made for token in row} == set("abcdefg")


def test_unlabelled_texts_are_learned_as_the_teacher_answers(tmp_path: Path) -> None:
    rows, more = ruled_rows(40, 0), [f"gub {text}" for text, _ in ruled_rows(40, 1)]
    learned = rows[0][0]  # with its label
    (tmp_path / "more.csv").write_text("\n".join(["text", *more, learned, learned.upper(), ""]))
    recipe = recipe_of(tmp_path / "a.csv", rows, unlabelled=[{"path": tmp_path / "more.csv"}])
    data = read_data(recipe)
    assert data.unlabelled == tuple(more)
    prepared, without = prepare(recipe, data, None), prepare(recipe, replace(data, unlabelled=()), None)
    assert "gub" in prepared.vocabulary.tokens
    assert "gub" not in without.vocabulary.tokens
    encoded = [prepared.vocabulary.encode(text.split()) for text in data.unlabelled]
    assert sorted(prepared.token_ids[-40:]) == sorted(encoded)
    assert len(prepared.token_ids) == len(prepared.targets) == len(without.token_ids) + 40
    assert training_fingerprint(recipe, data) != training_fingerprint(recipe, replace(data, unlabelled=()))


@pytest.mark.parametrize("start", ["default", "nothing"])
def test_unlabelled_texts_that_nothing_would_read_are_refused(tmp_path: Path, start: str) -> None:
    (tmp_path / "more.csv").write_text("text\nanother text\n")
    settings = {"training": {"linear_start": start == "default", "start": start}}
    recipe = recipe_of(tmp_path / "a.csv", ruled_rows(40, 0), unlabelled=[{"path": tmp_path / "more.csv"}], **settings)
    with pytest.raises(ConfigError, match="unlabelled: .* 10,000 rows"):
        train(recipe, read_data(recipe), lambda _: None)


def test_the_teacher_answers_with_probabilities_or_numbers() -> None:
    answers = LinearTeacher(TOKENS, TARGETS)([["good"], ["bad"], ["unseen"]])  # (N, C)
    assert answers.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert answers[:, 1].tolist() == [0, 0, 0]  # a label that no row has
    assert answers[0, 0] > answers[2, 0] > answers[1, 0]
    values = LinearTeacher(TOKENS, torch.tensor([[3.0], [1.0], [3.0], [1.0]]))([["good"], ["bad"]])  # (N, 1)
    assert values[0] > values[1]


def test_vectors_begin_with_what_a_word_says() -> None:
    vocabulary = Vocabulary.build(TOKENS, max_size=100)
    for size in (2, 8):  # fewer features than labels, or more
        config = small_table_recipe(Recipe.of({"name": "toy", "train": ()}), has_vectors=False).model
        config = config.model_copy(update={"embedding_size": size, "hidden_size": 4})
        model = SentimentModel(config, vocabulary_size=len(vocabulary), num_classes=3)
        start_from(model, vocabulary, LinearTeacher(TOKENS, TARGETS), mean_length=math.e**3, keep_vectors=False)
        good, bad = (model.embedding.weight[vocabulary.encode([word])[0], 0] for word in ("good", "bad"))
        assert good > bad
        assert model.lstm.bias_ih_l0[4:8].tolist() == pytest.approx([3.0] * 4)
