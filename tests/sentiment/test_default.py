"""`default` is the package's model wherever a model is named, and `./default` a folder."""

import json
import os
from pathlib import Path

import pytest

import sentiment
from sentiment import bundle as bundles
from sentiment.cli import serve as serving
from sentiment.default import DEFAULT_MODEL, model_folder
from sentiment.integrations.spacy_component import create
from sentiment.training.pretrained import load_pretrained
from sentiment.training.recipe import Recipe
from service.settings import ServiceSettings
from tests.sentiment.conftest import run

SHIPPED = bundles.load(DEFAULT_MODEL).version


@pytest.fixture
def folder_called_default(tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder `default` in the working directory, and its version."""
    (tmp_path / "default").symlink_to(tiny_bundle)
    monkeypatch.chdir(tmp_path)
    return bundles.load(tiny_bundle).version


def test_only_the_name_is_the_packages_model() -> None:
    assert model_folder("default") == DEFAULT_MODEL
    for folder in ("./default", Path("default"), Path("./default")):
        assert model_folder(folder) == Path("default")


def test_in_python(folder_called_default: str) -> None:
    assert sentiment.load("default").version == SHIPPED
    assert sentiment.load("./default").version == folder_called_default
    assert load_pretrained("default").version == SHIPPED
    assert load_pretrained("./default").version == folder_called_default


def test_in_a_component(folder_called_default: str) -> None:
    spacy = pytest.importorskip("spacy")
    for model, version in (("default", SHIPPED), ("./default", folder_called_default)):
        assert create(spacy.blank("en"), "sentiment", model, retokenize=True).bundle.version == version


def test_in_a_recipe(folder_called_default: str) -> None:
    for name, version in (("default", SHIPPED), ("./default", folder_called_default)):
        content = f'name = "a"\n[[train]]\npath = "x.csv"\n[training]\nstart = "{name}"\n'
        Path("a.toml").write_text(content)
        assert load_pretrained(Recipe.read(Path("a.toml")).training.start).version == version


def test_on_the_command_line(folder_called_default: str, tmp_path: Path) -> None:
    for options, version in (([], SHIPPED), (["--model", "default"], SHIPPED), (["--model", "./default"], None)):
        done = run("info", *options, "--json")
        assert json.loads(done.stdout)["version"] == (version or folder_called_default)
    (tmp_path / "a.csv").write_text("text,label\ngood,positive\nbad,negative\n")
    done = run("compare", "default", "./default", "--data", "a.csv", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["old_accuracy"]["value"] == 1
    assert found["flips"]


def test_of_the_service(folder_called_default: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(serving.os, "execv", lambda *command: None)
    for name, folder in (("default", DEFAULT_MODEL), ("./default", tmp_path / "default")):
        monkeypatch.setenv("SENTIMENT_MODEL", name)
        assert ServiceSettings.read().model.absolute() == folder
        done = run("serve", "--model", name)
        assert done.exit_code == 0, done.output
        assert Path(os.environ["SENTIMENT_MODEL"]) == folder
