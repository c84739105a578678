from collections.abc import Callable
from pathlib import Path

import pytest

from sentiment.classifier import load
from sentiment.cli.training import train_and_save
from sentiment.errors import ConfigError
from sentiment.training.data.splits import read_data
from sentiment.training.recipe import Recipe
from sentiment.training.search.encoder_comparison import (
    NETWORKS,
    PICTURE,
    RESULTS,
    EncoderResult,
    compare_encoders,
    draw,
)

Write = Callable[[Path, int], Path]
MODEL = {"embedding_size": 6, "hidden_size": 6, "pooling": "max"}  # of no network but its own

FINGERPRINT = {"train rows 1": "60 rows", "text.language": "en"}


@pytest.fixture(scope="module")
def recipe(write_reviews: Write, tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    path = write_reviews(tmp_path_factory.mktemp("data") / "a.csv", 60)
    return Recipe.of({"name": "toy", "train": [{"path": path}], "model": MODEL, "training": {"epochs": 1}})


@pytest.fixture(scope="module")
def out(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison that was killed when six networks were trained."""
    folder = tmp_path_factory.mktemp("compared")
    trained: list[Path] = []

    def killed(each: Recipe, target: Path) -> None:
        if len(trained) == 6:
            raise KeyboardInterrupt
        trained.append(target)
        train_and_save(each, read_data(recipe), target, restart=False)

    with pytest.raises(KeyboardInterrupt):
        compare_encoders(recipe, FINGERPRINT, folder, killed, [])
    return folder


def test_a_killed_comparison_goes_on_and_every_network_has_its_row(recipe: Recipe, out: Path) -> None:
    trained: list[str] = []

    def train(each: Recipe, target: Path) -> None:
        trained.append(target.name)
        train_and_save(each, read_data(recipe), target, restart=False)

    compared = compare_encoders(recipe, FINGERPRINT, out, train, ["the film was great"] * 8)
    assert trained == ["bilstm-ht-and-ct", "bilstm-max", "bilstm-mean", "bilstm-attention"]
    assert [row.network for row in compared] == list(NETWORKS)
    assert all(0 <= row.accuracy <= 1 and row.texts_per_second > 0 for row in compared)
    parameters = {row.network: row.parameters for row in compared}
    assert parameters["bow"] < parameters["rnn"] < parameters["lstm"] < parameters["bilstm"]
    assert parameters["bilstm"] == load(out / "bilstm").num_parameters == parameters["bilstm, max"]
    assert load(out / "bilstm").model.config.pooling == load(out / "bow").model.config.pooling == "final"
    with pytest.raises(ConfigError, match="holds a comparison of other text.language, train rows 1; choose another --"):
        compare_encoders(recipe, {"train rows 1": "60 rows, others"}, out, train, [])
    assert (out / RESULTS).is_file()


def test_a_network_to_start_from_is_refused(recipe: Recipe, tmp_path: Path) -> None:
    training = recipe.training.model_copy(update={"start": "default"})
    with pytest.raises(ConfigError, match=r"training\.start is default, and all that are compared start from not"):
        compare_encoders(recipe.model_copy(update={"training": training}), FINGERPRINT, tmp_path, lambda *_: None, [])
    assert not list(tmp_path.iterdir())


def test_the_picture_is_drawn(tmp_path: Path) -> None:
    draw(
        [EncoderResult("bow", 0.7, 100, 1.0, 5000.0), EncoderResult("bilstm", 0.8, 900, 2.0, 900.0)], tmp_path / PICTURE
    )
    assert (tmp_path / PICTURE).read_bytes().startswith(b"\x89PNG")
