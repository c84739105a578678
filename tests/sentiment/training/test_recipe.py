from pathlib import Path

import pytest

from sentiment.errors import ConfigError
from sentiment.training.recipe import Recipe


def test_paths_start_at_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('name = "a"\n[[train]]\npath = "data/x.csv"\n[training]\nepochs = 2\n')
    recipe = Recipe.read(tmp_path / "a.toml")
    assert recipe.train[0].path == str(tmp_path / "data" / "x.csv")
    assert recipe.training.epochs == 2


def test_urls_stay_what_they_are(tmp_path: Path) -> None:
    content = 'name = "a"\n[[train]]\npath = "s3://bucket/x.csv"\n[[dev]]\npath = "hf://datasets/a/b/*.parquet"\n'
    (tmp_path / "a.toml").write_text(content)
    recipe = Recipe.read(tmp_path / "a.toml")
    assert (recipe.train[0].path, recipe.dev[0].path) == ("s3://bucket/x.csv", "hf://datasets/a/b/*.parquet")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = ", r"recipe .*a\.toml: "),
        ('name = "a"\n', "train: is missing"),
        ('name = "a"\n[[train]]\ntext_column = "x"\n', "train.0.path: is missing"),
        ('name = "../a"\n[[train]]\npath = "x"\n', r"name: a model has the name of its folder: .*, not '\.\./a'"),
        (
            'name = "a"\n[[train]]\npath = "x"\n[training]\nepoch = 2\n',
            r"recipe .*a\.toml: training.epoch: there is no such setting; is it epochs\?",
        ),
        ('name = "a"\n[[train]]\npaths = "x"\n', r"train.0.paths: there is no such setting; is it path\?$"),
        ('name = "a"\n[[train]]\npath = "x"\n[model]\nhidden_size = 0\n', "model.hidden_size: .*greater.*, not 0"),
    ],
)
def test_a_setting_at_fault_is_named(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "a.toml").write_text(content)
    with pytest.raises(ConfigError, match=message):
        Recipe.read(tmp_path / "a.toml")


def test_the_committed_recipes_are_valid() -> None:
    for file in (Path(__file__).parents[3] / "recipes").glob("*.toml"):
        assert Recipe.read(file).name == file.stem
