from pathlib import Path

import polars as pl
import pytest

from recipes import vectors
from recipes.vectors import FILES, learn


def test_it_learns_the_words_of_every_domain_and_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vectors, "SIZE", 4)
    for name in FILES:
        texts = [f"The {name} was good.", f"The {name} was bad."] * 2
        pl.DataFrame({"text": [*texts, "Once"]}).write_parquet(tmp_path / f"{name}.parquet")
    for name in ("one.vec", "two.vec"):
        learn(tmp_path, tmp_path / "vectors" / name)
    first, *lines = (tmp_path / "vectors" / "one.vec").read_text().splitlines()
    words = [line.split()[0] for line in lines]
    assert first == f"{len(words)} 4"
    assert {"the", "good", "bad"} < set(words)
    assert "once" in words, "it is in six tables"
    assert (tmp_path / "vectors" / "one.vec").read_bytes() == (tmp_path / "vectors" / "two.vec").read_bytes()
