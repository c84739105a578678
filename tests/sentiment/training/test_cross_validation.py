"""Small tables are judged by cross-validation, and compared with what one would use instead."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.errors import DataError
from sentiment.training.comparison import Comparison
from sentiment.training.cross_validation import FOLDS, choose_stage, split_into_folds
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import Data, data_in_memory, read_data
from sentiment.training.loop import Progress
from sentiment.training.preparation import PROBE, START, Stage
from sentiment.training.recipe import Recipe
from sentiment.training.trainer import train

Write = Callable[[Path, int], Path]
TEXTS = [f"the {thing} number {n} was {word}" for n in range(5) for thing in ("soup", "tea")
         for word in ("good", "great", "bad", "awful")]  # fmt: skip
ROWS = LabelledTexts("rows", TEXTS, ["negative" if text.endswith(("bad", "awful")) else "positive" for text in TEXTS])


def recipe_of(start: Path | None = None, **training: Any) -> Recipe:
    settings = {"epochs": 2, "cross_validated_rows": 100, "dtype": "float32", **training}
    if start is not None:
        return Recipe.of({"name": "toy", "train": (), "training": {**settings, "start": str(start)}})
    model = {"embedding_size": 8, "hidden_size": 8}
    return Recipe.of({"name": "toy", "train": (), "model": model, "training": settings})


@pytest.mark.parametrize(
    ("first", "errors_above", "chosen"),
    [(START, 0.9, START), (START, 1.1, 2), (PROBE, 0.4, PROBE), (PROBE, 0.6, 2), (1, 0.4, 1), (1, 0.6, 2)],
)
def test_a_later_stage_is_chosen_if_it_is_clearly_better(first: Stage, errors_above: float, chosen: Stage) -> None:
    spread = torch.tensor([-1.0, 1.0]).repeat(50)  # (rows,)
    lowest = torch.full((100,), 2.0)  # (rows,)
    losses = {first: lowest + spread + errors_above / 10, 2: lowest, 3: lowest + 1}
    assert choose_stage(losses) == chosen


def test_each_row_is_held_out_once_and_equal_texts_together() -> None:
    texts = [*TEXTS, *(text.upper() for text in TEXTS[:8])]
    rows = LabelledTexts("rows", texts, [*ROWS.labels, *ROWS.labels[:8]])
    data = Data(("negative", "positive"), (rows,), (), (1,), 0)
    folds = split_into_folds(data, seed=0)
    assert len(folds) == FOLDS
    assert sorted(row for fold in folds for row in fold.rows[0]) == list(range(48))
    for fold in folds:
        [kept], [held_out] = fold.data.train, fold.data.dev
        assert len(kept.texts) + len(held_out.texts) == 48
        assert not {text.casefold() for text in kept.texts} & {text.casefold() for text in held_out.texts}
        assert min(Counter(held_out.labels).values()) >= 4
    assert [fold.rows for fold in split_into_folds(data, seed=0)] == [fold.rows for fold in folds]
    assert [fold.rows for fold in split_into_folds(data, seed=1)] != [fold.rows for fold in folds]


def test_all_rows_are_judged_and_all_are_learned() -> None:
    seen: list[Progress] = []
    recipe = recipe_of(learning_rate=0.02, epochs=6)
    bundle = train(recipe, data_in_memory(recipe, ROWS), seen.append)
    [(name, judged)] = bundle.metrics["dev"].items()
    assert (name, judged["rows"]) == ("cross-validation of rows", 40)
    assert judged["accuracy"] > 0.9
    stage = bundle.metrics["training"]["stage"]
    assert {each.fold for each in seen} == {*range(FOLDS + 1)}
    assert [each.epoch for each in seen if each.fold == 0 and each.dev_score is not None] == list(range(1, stage + 1))
    assert all(each.dev_score is None for each in seen if each.fold)
    assert {"soup", "tea"} <= set(bundle.vocabulary.tokens)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    recipe = recipe_of(learning_rate=0.02)
    versions = {
        bundles.save(train(recipe, data_in_memory(recipe, ROWS), lambda _: None), tmp_path / str(number))
        for number in range(2)
    }
    assert len(versions) == 1


def test_killed_it_goes_on_to_the_same_weights(
    tmp_path: Path, write_reviews: Write, train_killed_once: Callable[[Recipe], Bundle]
) -> None:
    settings = {"learning_rate": 0.02, "epochs": 3, "cross_validated_rows": 100, "dtype": "float32"}
    path = write_reviews(tmp_path / "a.csv", 60)
    model = {"embedding_size": 8, "hidden_size": 8}
    recipe = Recipe.of({"name": "toy", "train": [{"path": path}], "model": model, "training": settings})
    whole = train(recipe, read_data(recipe), lambda _: None)
    resumed = train_killed_once(recipe)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name
    assert resumed.metrics == whole.metrics


def test_a_start_that_nothing_beats_is_what_is_written(tiny_bundle: Path) -> None:
    """Labels by the start itself: no training can do better on held-out rows."""
    start = bundles.load(tiny_bundle)

    texts = [
        f"{a} {b} film" for a in ("good", "bad", "great", "awful", "boring") for b in ("not", "very", "is", "a", "!")
    ]
    labels = [each.label for each in Classifier(start).predict(texts)]
    recipe = recipe_of(tiny_bundle, learning_rate=0.05)
    bundle = train(recipe, data_in_memory(recipe, LabelledTexts("rows", texts, labels)), lambda _: None, comparing=True)
    comparison = Comparison.of(bundle.metrics)
    assert comparison is not None
    assert set(comparison.candidates) == {"model", "start", "linear", "majority"}
    assert comparison.main("start") == 1.0
    assert comparison.main("model") >= comparison.main("start")
    assert comparison.best == "model"
    if bundle.metrics["training"]["stage"] == START:
        for name, tensor in start.model.state_dict().items():
            if name.startswith("lstm"):
                assert torch.equal(bundle.model.state_dict()[name], tensor), name


def test_new_labels_are_learned_by_the_classifier_first(tiny_bundle: Path) -> None:
    texts = [
        f"the film was {word} {more}" for word in ("good", "bad") for more in ("and", "the", "is", "a", "it", "very")
    ]
    rows = LabelledTexts("rows", texts, ["thumbs up" if "good" in text else "thumbs down" for text in texts])
    recipe = recipe_of(tiny_bundle)
    bundle = train(recipe, data_in_memory(recipe, rows), lambda _: None, comparing=True)
    assert bundle.metrics["training"]["stage"] in (PROBE, 1, 2)
    comparison = Comparison.of(bundle.metrics)
    assert comparison is not None
    assert set(comparison.candidates) == {"model", "linear", "majority"}
    assert (comparison.method, comparison.rows) == ("cross-validation", 12)
    assert comparison.main("majority") <= 0.5
    assert all(figures["ece"] is None for figures in comparison.candidates.values())


def test_numbers_are_compared_by_pearsons_r() -> None:
    values = [float(len(text)) + (10 if "good" in text or "great" in text else 0) for text in TEXTS]
    rows = LabelledTexts("rows", TEXTS, [str(value) for value in values], values=values)
    model = {"embedding_size": 8, "hidden_size": 8}
    settings = {"epochs": 2, "cross_validated_rows": 100, "learning_rate": 0.02, "dtype": "float32"}
    recipe = Recipe.of({"name": "toy", "task": "regression", "train": (), "model": model, "training": settings})
    bundle = train(recipe, Data((), (rows,), (), (1,), 0), lambda _: None, comparing=True)
    comparison = Comparison.of(bundle.metrics)
    assert comparison is not None
    assert comparison.main_figure == "pearson_r"
    assert comparison.main("linear") > 0.8
    assert abs(comparison.main("majority")) < 0.5


def test_texts_that_are_all_the_same_are_refused() -> None:
    rows = LabelledTexts("rows", ["a", "A ", "a", "a"], ["x", "x", "y", "y"])
    with pytest.raises(DataError, match="every text is in several rows"):
        data_in_memory(recipe_of(), rows)
