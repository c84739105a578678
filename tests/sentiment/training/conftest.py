import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from sentiment.bundle import Bundle
from sentiment.config import TextConfig
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.data.splits import read_data
from sentiment.training.distillation.token_states import to_bytes
from sentiment.training.loop import Progress
from sentiment.training.recipe import Recipe
from sentiment.training.resume.checkpoint import Checkpoint
from sentiment.training.trainer import train

PRAISE, BLAME = ("great", "lovely", "fine", "superb"), ("awful", "dull", "poor", "bad")


def review(rng: random.Random, label: str) -> str:
    words = PRAISE if label == "positive" else BLAME
    return f"the {rng.choice(['film', 'plot', 'cast'])} was {rng.choice(words)} {rng.randrange(1000)}"


@pytest.fixture(scope="session")
def write_reviews() -> Callable[[Path, int], Path]:
    """Writes a CSV of so many short reviews, half of them positive."""

    def write(path: Path, rows: int) -> Path:
        rng = random.Random(rows)
        labels = [("positive", "negative")[row % 2] for row in range(rows)]
        path.write_text("text,label\n" + "".join(f"{review(rng, label)},{label}\n" for label in labels))
        return path

    return write


@pytest.fixture(scope="session")
def write_labelled() -> Callable[[Path, int], Path]:
    """Writes soft labels and states of so many texts, 200 at most: of each token its length and its place."""

    def write(path: Path, rows: int) -> Path:
        texts = [f"the {thing} was {word} number {n}" for n in range(20) for thing in ("film", "plot")
                 for word in ("fine", "dull", "superb", "awful", "poor")][:rows]  # fmt: skip
        positive = [0.9 if "fine" in text or "superb" in text else 0.1 for text in texts]
        tokens = [each.tokens for each in Tokenizer(TextConfig()).tokenize(texts)]
        states = [torch.tensor([[len(token) / 5, place / 5] for place, token in enumerate(row)]) for row in tokens]
        columns = {"text": texts, "positive": positive, "negative": [1 - share for share in positive]}
        table = pl.DataFrame({**columns, "states": pl.Series([to_bytes(each) for each in states], dtype=pl.Binary)})
        table.write_parquet(path)
        return path

    return write


@pytest.fixture
def train_killed_once(tmp_path: Path) -> Callable[[Recipe], Bundle]:
    """Train a recipe that is killed in its second epoch and resumed."""

    def kill(progress: Progress) -> None:
        if progress.epoch == 2:
            raise KeyboardInterrupt

    def run(recipe: Recipe) -> Bundle:
        with Checkpoint(tmp_path / "c", {}) as checkpoint, pytest.raises(KeyboardInterrupt):
            train(recipe, read_data(recipe), kill, checkpoint)
        with Checkpoint(tmp_path / "c", {}) as checkpoint:
            return train(recipe, read_data(recipe), lambda _: None, checkpoint)

    return run
