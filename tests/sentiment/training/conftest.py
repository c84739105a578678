import random
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from sentiment.config import TextConfig
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.states import to_bytes

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
def write_labelled() -> Callable[[Path], Path]:
    """Writes soft labels and states of 200 texts: of each token its length, and how many stand before it."""

    def write(path: Path) -> Path:
        texts = [f"the {thing} was {word} number {n}" for n in range(20) for thing in ("film", "plot")
                 for word in ("fine", "dull", "superb", "awful", "poor")]  # fmt: skip
        positive = [0.9 if "fine" in text or "superb" in text else 0.1 for text in texts]
        tokens = [each.tokens for each in Tokenizer(TextConfig()).tokenize(texts)]
        states = [torch.tensor([[len(token) / 5, place / 5] for place, token in enumerate(row)]) for row in tokens]
        columns = {"text": texts, "positive": positive, "negative": [1 - share for share in positive]}
        table = pl.DataFrame({**columns, "states": pl.Series([to_bytes(each) for each in states], dtype=pl.Binary)})
        table.write_parquet(path)
        return path

    return write
