"""Check the built wheel: the commands, the service, the types and the default model."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import sentiment
from sentiment.default import DEFAULT_MODEL

ROOT = Path(sentiment.__file__).parents[1]
SOURCES = ("sentiment", "service", "models", "pyproject.toml", "README.md", "LICENSE")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked. It is built from a copy: setuptools leaves files beside what it builds."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    for name in SOURCES:
        copy = shutil.copy2 if (ROOT / name).is_file() else shutil.copytree
        copy(ROOT / name, source / name, **({} if copy is shutil.copy2 else {"symlinks": True}))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run([*command, "--wheel-dir", built, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [wheel] = built.glob("sentiment_bilstm-*-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built / "site")
    return built / "site"


def test_it_holds_the_packages_and_nothing_else(site: Path) -> None:
    [metadata] = site.glob("*.dist-info")
    assert {path.name for path in site.iterdir()} == {"sentiment", "service", metadata.name}
    assert (site / "sentiment" / "py.typed").is_file()
    assert (site / "service" / "pages").is_dir()
    assert (site / "sentiment" / "evaluation" / "page.html").is_file()
    assert (site / "sentiment" / "evaluation" / "behaviour" / "default.yaml").is_file()
    assert "sentiment = sentiment.cli:main" in (metadata / "entry_points.txt").read_text()
    assert "[spacy_factories]\nsentiment_bilstm = " in (metadata / "entry_points.txt").read_text()
    for extra in ("serve", "train", "onnx"):
        assert f"Provides-Extra: {extra}\n" in (metadata / "METADATA").read_text()


@pytest.mark.slow
def test_it_answers_with_the_model_inside(site: Path, tmp_path: Path) -> None:
    script = "import sentiment.default, sentiment.cli; print(sentiment.default.DEFAULT_MODEL); sentiment.cli.main()"
    command = [sys.executable, "-c", script, "predict", "What a lovely film, I love it."]
    environment = {**os.environ, "PYTHONPATH": str(site)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folder, answer = done.stdout.splitlines()
    assert folder == str(site / "sentiment" / "models" / "default")
    assert answer.startswith("positive")
    for file in DEFAULT_MODEL.iterdir():
        assert (site / "sentiment" / "models" / "default" / file.name).read_bytes() == file.read_bytes()


def test_a_checkout_has_the_same_model_from_any_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DEFAULT_MODEL.resolve() == ROOT / "models" / "default"
    script = "import os, sentiment.default; os.chdir('/'); print(sentiment.default.DEFAULT_MODEL.resolve())"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(DEFAULT_MODEL.resolve())
    monkeypatch.chdir("/")
    assert sentiment.load().version == sentiment.load(ROOT / "models" / "default").version
