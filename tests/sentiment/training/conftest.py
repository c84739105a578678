import random
from collections.abc import Callable
from pathlib import Path

import pytest

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
