from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch

from recipes import teacher as recipe
from recipes.prepare import LABELS
from sentiment.config import TextConfig
from sentiment.nn.precision import DTYPES
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.teacher import Teacher

TEXTS = ["A great film.", "The plot was dull.", "A lovely cast."]


@pytest.fixture
def folder(save_encoder: Callable[[Path], Path], tmp_path: Path) -> Path:
    folder = tmp_path / "taught"
    Teacher.start(str(save_encoder(tmp_path / "encoder")), LABELS).save(folder)
    return folder


@pytest.mark.parametrize("quickest", [*DTYPES, recipe.INT8])
def test_texts_are_labelled_in_the_quickest_format_from_the_first_call_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, quickest: str
) -> None:
    measured: list[list[str]] = []

    def measure(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
        measured.append(list(ways))
        for way in ways.values():
            way()
        return {name: 1.0 if name == quickest else 2.0 for name in ways}

    monkeypatch.setattr(recipe, "measure", measure)
    placed = Tokenizer(TextConfig()).place(TEXTS)
    exact, _ = Teacher.load(folder).read(placed, 32, lambda states: states)  # (N, C)
    for _ in range(2):
        reader, dtype = recipe.reader(folder, TEXTS)
        assert dtype == ("float32" if quickest == recipe.INT8 else quickest)
        found, _ = reader.read(placed, 32, lambda states: states, dtype)  # (N, C)
        torch.testing.assert_close(found, exact, atol=0.05, rtol=0)
        assert torch.equal(found, exact) is (quickest == "float32")
    assert measured == [[*DTYPES, recipe.INT8]], "measured once, then kept in the folder"
