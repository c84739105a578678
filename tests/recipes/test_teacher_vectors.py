from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from recipes.teacher_vectors import FILES, SPREAD, main, principal, words_of
from sentiment.text.vocabulary import Vocabulary
from sentiment.training.teacher import Teacher
from sentiment.training.vectors import load_vectors


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in FILES:
        pl.DataFrame({"text": [f"A film of {name}."]}).write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "known.vec").write_text("2 2\ngreat 1 0\ndull 0 1\n")
    return tmp_path


def test_the_words_of_a_file_of_vectors_and_of_the_short_texts(data: Path) -> None:
    words = words_of(data, data / "known.vec")
    assert words[:5] == ["great", "dull", "a", "film", "of"]
    assert len(words) == len(set(words))


def test_the_directions_of_most_variance_at_a_spread() -> None:
    rows = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 5.0, 1.0])
    found = principal(rows, 2)
    assert found.std().item() == pytest.approx(SPREAD, rel=1e-3)
    assert found[:, 0].std() > found[:, 1].std()
    assert abs(torch.corrcoef(torch.stack([found[:, 0], rows[:, 1]]))[0, 1].item()) > 0.99


def test_they_are_read_as_word_vectors(
    data: Path, save_encoder: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = str(save_encoder(data / "encoder"))
    monkeypatch.setattr("recipes.teacher_vectors.SIZE", 4)
    Teacher.start(encoder, ("negative", "positive")).save(data / "taught")
    main(data, data / "taught", data / "known.vec", data / "out.vec")
    vectors, token_ids = load_vectors(str(data / "out.vec"), Vocabulary(["<pad>", "<unk>", "dull", "film", "zyzzyva"]))
    assert token_ids.tolist() == [2, 3]
    assert vectors.shape == (2, 4)
