import random
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

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
def save_encoder() -> Callable[[Path], Path]:
    """Writes an encoder of a few thousand numbers, real in every part: transformers' own BERT."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = "the film plot cast was great lovely fine superb awful dull poor bad".split()
    digits = [f"{mark}{digit}" for mark in ("", "##") for digit in range(10)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *digits, *words]

    def save(folder: Path) -> Path:
        folder.mkdir(parents=True)
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(pieces),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
            initializer_range=0.5,
        )
        BertModel(config).save_pretrained(folder)
        (folder / "vocab.txt").write_text("\n".join(pieces))
        BertTokenizerFast.from_pretrained(folder).save_pretrained(folder)
        return folder

    return save
