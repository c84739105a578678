import random
from pathlib import Path
from typing import Any

import pytest
import torch

from sentiment import bundle as bundles
from sentiment.batching import PaddedBatch
from sentiment.classifier import load
from sentiment.config import ModelConfig
from sentiment.errors import ConfigError, DataError
from sentiment.nn.model import SentimentModel
from sentiment.training.data.dataset import LabelledTexts, check_spread, split
from sentiment.training.data.reading import read_labelled
from sentiment.training.data.splits import Data, read_data
from sentiment.training.loop import EncodedSet, Progress
from sentiment.training.objectives.regression import Scale, ValueObjective
from sentiment.training.recipe import Recipe, Source
from sentiment.training.trainer import train

WEIGHTS = {"superb": 120.0, "fine": 105.0, "dull": 95.0, "awful": 80.0}  # far from 0 and 1: what scaling is for


def write_ratings(path: Path, rows: int) -> Path:
    rng = random.Random(0)
    lines = []
    for _ in range(rows):
        word = rng.choice(list(WEIGHTS))
        noun = rng.choice(["plot", "cast", "film", "score", "ending"])
        lines.append(f"the {noun} was {word} {rng.randrange(rows)},{WEIGHTS[word] + rng.gauss(0, 1):.3f}")
    path.write_text("text,rating\n" + "\n".join(lines) + "\n")
    return path


def recipe_of(path: Path, **settings: Any) -> Recipe:
    return Recipe.of(
        {
            "name": "ratings",
            "task": "regression",
            "train": [{"path": path, "label_column": "rating"}],
            "model": {"embedding_size": 8, "hidden_size": 8},
            "training": {"epochs": 6, "learning_rate": 0.02},
            **settings,
        }
    )


def test_it_learns_and_the_folder_answers_in_the_numbers_own_unit(tmp_path: Path) -> None:
    recipe = recipe_of(write_ratings(tmp_path / "a.csv", 400))
    seen: list[Progress] = []
    bundle = train(recipe, read_data(recipe), seen.append)
    bundles.save(bundle, tmp_path / "model")
    regressor = load(tmp_path / "model", task="regression")
    best, worst = (each.value for each in regressor.predict(["the cast was superb", "the cast was awful"]))
    assert best == pytest.approx(120, abs=5)
    assert worst == pytest.approx(80, abs=5)
    dev = bundle.metrics["dev"]["split of a.csv"]
    assert dev["pearson_r"] > 0.95
    assert dev["rmse"] >= dev["mae"] > 0
    assert dev["rows"] == 40
    scores = [progress.dev_score for progress in seen if progress.dev_score is not None]
    assert bundle.metrics["training"]["dev_score"] == max(scores)
    assert max(scores) == pytest.approx(-dev["rmse"], rel=0.01)  # the embedding is rounded in between
    assert seen[-1].loss < 0.5 < seen[0].loss < 2  # of numbers scaled to 0 and 1
    assert "- Answers with a number\n- Language: en\n" in bundle.card
    assert "| split of a.csv | 40 | " in bundle.card
    assert "temperature" not in bundle.card
    assert bundle.golden[0].keys() == {"text", "value"}
    kept = bundle.metrics["reference"]["split of a.csv"]
    assert (kept["labels"], sum(kept["lengths"]), sum(kept["confidences"])) == ({}, 40, 0)
    assert (bundle.labels, bundle.temperature) == ((), 1.0)


def test_the_scale_goes_into_the_last_layer() -> None:
    model = SentimentModel(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=9, num_classes=1).eval()
    values = torch.tensor([10.0, 20.0, 60.0], dtype=torch.double)
    scale = Scale.of(values)
    targets = scale.apply(values)
    assert targets.shape == (3, 1)
    assert float(targets.mean()) == pytest.approx(0, abs=1e-6)
    assert float(targets.std(correction=0)) == pytest.approx(1)
    assert scale.invert(targets).tolist() == pytest.approx([10, 20, 60], rel=1e-6)
    batch = PaddedBatch.of([[2, 3, 4], [5]])
    with torch.no_grad():
        expected = scale.invert(model(batch))
        scale.fold_into(model)
        assert model(batch).squeeze(1).tolist() == pytest.approx(expected.tolist(), rel=1e-5)


def test_the_score_is_in_the_numbers_own_unit() -> None:
    recipe = Recipe.of({"name": "toy", "task": "regression", "train": ()})
    objective = ValueObjective(recipe, Data((), (numbers([5.0, 15.0]),), (), (1,), 0))
    sets = [EncodedSet("a", [[2], [3]], torch.tensor([7.0, 13.0])), EncodedSet("b", [[4]], torch.tensor([11.0]))]
    answers = [torch.full((len(part.token_ids),), 10.0) for part in sets]
    assert objective.score(answers, sets) == pytest.approx(-(3 + 1) / 2)


def numbers(values: list[float], name: str = "a.csv") -> LabelledTexts:
    return LabelledTexts(name, [f"text {row}" for row in range(len(values))], [str(v) for v in values], values=values)


def test_a_tenth_is_held_out_across_the_whole_range() -> None:
    data = numbers([float(value) for value in random.Random(1).sample(range(100), 100)])
    kept, out = split(data, 0.1, seed=0)
    assert [int(value // 10) for value in sorted(out.values or [])] == list(range(10))
    assert len(kept.texts) == 90
    assert sorted([*(kept.values or []), *(out.values or [])]) == sorted(data.values or [])
    assert [float(label) for label in out.labels] == out.values
    assert split(data, 0.1, seed=1)[1].texts != out.texts
    assert [len(part.texts) for part in split(numbers([1.0, 2.0, 3.0, 4.0]), 0.1, seed=0)] == [2, 2]


def test_too_few_rows_and_a_single_number_are_refused() -> None:
    with pytest.raises(DataError) as refused:
        split(numbers([1.0, 2.0]), 0.1, seed=0)
    assert str(refused.value) == "a.csv: 2 rows; a regression needs 4 or more"
    with pytest.raises(DataError) as refused:
        check_spread([numbers([1.0, 1.0]), numbers([1.0])], [])
    assert str(refused.value) == (
        "the training rows: every row has the number 1.0; a regression needs two different ones"
    )
    with pytest.raises(DataError, match="dev.csv: every row has the number 2.0"):
        check_spread([numbers([1.0, 2.0])], [numbers([2.0], "dev.csv")])


def read(path: Path, content: str) -> LabelledTexts:
    path.write_text(content)
    return read_labelled(Source(path=path), task="regression")


def test_numbers_are_read_from_numbers_and_from_text(tmp_path: Path) -> None:
    assert read(tmp_path / "a.csv", "text,label\na,1\nb,-2\n").values == [1.0, -2.0]
    assert read(tmp_path / "b.jsonl", '{"text":"a","label":"1.5"}\n{"text":"b","label":" 2 "}\n').values == [1.5, 2.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("text,label\na,1\nb,good\n", "line 3 (row 2, byte 15) holds 'good' in column 'label', not a number"),
        ("text,label\na,1.5\nb,inf\n", "line 3 (row 2, byte 17) holds 'inf' in column 'label', not a number"),
        ("text,label\na,1.5\nb,\n", "line 3 (row 2, byte 17) has no label"),
        ("text,label\na,true\nb,false\n", "line 2 (row 1, byte 11) holds 'true' in column 'label', not a number"),
    ],
)
def test_what_is_no_number_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError) as refused:
        read(tmp_path / "a.csv", content)
    assert str(refused.value).startswith(f"{tmp_path / 'a.csv'}: {message}")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": ["a", "b"]}, "a regression learns the label column's numbers: leave names of labels out"),
        ({"train": [{"path": "a.csv", "label_mapping": {"1-2": "bad"}}]}, "leave names of labels out"),
        ({"train": [{"path": "a.csv", "soft_labels": True}]}, "leave names of labels out"),
        ({"training": {"balanced": True}}, "a regression has no classes: leave balanced out"),
    ],
)
def test_settings_of_classes_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"{message}$"):
        recipe_of(Path("a.csv"), **settings)
