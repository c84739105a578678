import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch

from recipes import teacher_vectors
from recipes.prepare import LABELS
from recipes.teacher import NOTE
from recipes.teacher_vectors import FILES, SPREAD, keep, principal, states, words_of, write
from sentiment.text.vocabulary import Vocabulary
from sentiment.training.distillation.teacher import Teacher
from sentiment.training.vectors import load_vectors


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in FILES:
        pl.DataFrame({"text": [f"A film of {name}."]}).write_parquet(tmp_path / f"{name}.parquet")
    (tmp_path / "known.vec").write_text("4 2\ngreat 1 0\ndull 0 1\nfilm 1 1\nrare 0 0\n")
    return tmp_path


@pytest.fixture
def taught(data: Path, save_encoder: Callable[[Path], Path]) -> Path:
    folder = data / "taught"
    Teacher.start(str(save_encoder(data / "encoder")), LABELS).save(folder)
    (folder / NOTE).write_text(json.dumps({"reader": "a tiny one", "seed": 3}))
    return folder


def test_the_words_of_the_short_texts_then_those_of_a_file_of_vectors(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = words_of(data, data / "known.vec")
    assert words[:3] == ["a", "film", "of"]
    assert words[-3:] == ["great", "dull", "rare"]
    assert len(words) == len(set(words))
    monkeypatch.setattr(teacher_vectors, "MAX_WORDS", len(words) - 1)
    assert words_of(data, data / "known.vec") == words[:-1], "the rarest is left out"


def test_the_directions_of_most_variance_at_a_spread() -> None:
    rows = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.1, 5.0, 1.0])
    found = principal(rows, 2)
    assert found.std().item() == pytest.approx(SPREAD, rel=1e-3)
    assert found[:, 0].std() > found[:, 1].std()
    assert abs(torch.corrcoef(torch.stack([found[:, 0], rows[:, 1]]))[0, 1].item()) > 0.99


def test_what_is_kept_is_written_as_word_vectors_without_a_teacher(
    data: Path, taught: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teacher_vectors, "KEPT", data / "kept")
    monkeypatch.setattr(teacher_vectors, "SIZE", 4)
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", "float32")
    keep(data, taught, data / "known.vec")
    words = words_of(data, data / "known.vec")
    expected = principal(states(Teacher.load(taught), words, "float32"), 4)  # (words, 4)
    write(data / "vectors" / "out.vec")
    vectors, token_ids = load_vectors(
        str(data / "vectors" / "out.vec"), Vocabulary(["<pad>", "<unk>", "dull", "film", "zyzzyva"])
    )
    assert token_ids.tolist() == [2, 3]
    torch.testing.assert_close(vectors, expected[[words.index("dull"), words.index("film")]], atol=2e-3, rtol=0)
    assert json.loads((data / "kept" / NOTE).read_text()) == {"words": len(words), "reader": "a tiny one", "seed": 3}


def test_the_vectors_that_the_recipe_reads_are_small(tmp_path: Path) -> None:
    assert sum(file.stat().st_size for file in teacher_vectors.KEPT.iterdir()) < 6 * 2**20
    write(tmp_path / "out.vec")
    vectors, token_ids = load_vectors(str(tmp_path / "out.vec"), Vocabulary(["<pad>", "<unk>", "awful", "great"]))
    assert token_ids.tolist() == [2, 3]
    assert vectors.shape[1] == teacher_vectors.SIZE
