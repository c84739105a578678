import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from safetensors.numpy import load_file

from recipes import labels
from recipes.prepare import LABELS
from recipes.teacher import NOTE
from sentiment.errors import DataError
from sentiment.text.tokenizer import PlacedTokens
from sentiment.training.data.reading import read_soft_labelled
from sentiment.training.distillation.teacher import Teacher
from sentiment.training.recipe import Source

TEXTS = ["the film was great", "the plot was dull", "the cast was poor"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder for labels."""
    monkeypatch.setattr(labels, "KEPT", tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for source in labels.TABLES.values():
        pl.DataFrame({"text": TEXTS}).write_parquet(folder / f"{source}.parquet")
    for name in labels.LABELLED:
        own = {"text": [f"of {name}"], "label": ["neutral"]}
        pl.DataFrame(own).write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture
def taught(tmp_path: Path, save_encoder: Callable[[Path], Path]) -> Path:
    folder = tmp_path / "reader"
    Teacher.start(str(save_encoder(tmp_path / "encoder")), LABELS).save(folder)
    (folder / NOTE).write_text(json.dumps({"reader": "a tiny one", "seed": 3}))
    return folder


def keep(name: str, *rows: tuple[str, list[float]]) -> None:
    labels.keep(labels.new_file(name), [text for text, _ in rows], np.array([row for _, row in rows]), {"reader": name})


def test_several_readers_of_a_text_are_averaged() -> None:
    keep("one", (TEXTS[0], [0.1, 0.2, 0.7]), (TEXTS[1], [0.8, 0.1, 0.1]))
    keep("two", (TEXTS[0], [0.3, 0.2, 0.5]))
    known = labels.kept()
    assert set(known) == {labels.key_of(text) for text in TEXTS[:2]}
    assert known[labels.key_of(TEXTS[0])] == pytest.approx([0.2, 0.2, 0.6], abs=1e-3)
    assert known[labels.key_of(TEXTS[1])] == pytest.approx([0.8, 0.1, 0.1], abs=1e-3)


def test_what_is_kept_is_small_says_its_reader_and_is_never_rewritten(place: Path) -> None:
    keep("films-a", *((f"{number}", [1.0, 0.0, 0.0]) for number in range(1000)))
    assert (place / "films-a.safetensors").stat().st_size < 1000 * 14 + 500
    assert json.loads((place / "films-a.json").read_text()) == {"rows": 1000, "reader": "films-a"}
    before = {path: path.read_bytes() for path in place.iterdir()}
    with pytest.raises(DataError, match="films-a"):
        keep("films-a", (TEXTS[0], [0.0, 0.0, 1.0]))
    assert {path: path.read_bytes() for path in place.iterdir()} == before


def test_a_table_has_the_texts_that_somebody_labelled_and_half_of_what_people_said_of_them(data: Path) -> None:
    for source in labels.TABLES.values():
        pl.DataFrame({"text": [*TEXTS, "unlabelled text"]}).write_parquet(data / f"{source}.parquet")
    own = {"text": [TEXTS[1], TEXTS[2]], "label": ["positive", "negative"]}
    pl.DataFrame(own).write_parquet(data / "tweets_train.parquet")
    keep("films-a", (TEXTS[0], [0.1, 0.2, 0.7]), (TEXTS[1], [0.8, 0.1, 0.1]))
    labels.join(data)
    for name in labels.TABLES:
        soft = read_soft_labelled(Source(path=str(data / f"{name}_labelled.parquet")), LABELS)
        given = dict(zip(soft.texts, soft.probabilities or [], strict=True))
        assert set(given) == set(TEXTS)
        assert given[TEXTS[2]] == {"negative": 1, "neutral": 0, "positive": 0}, "people alone labelled it"
        assert given[TEXTS[0]] == pytest.approx({"negative": 0.1, "neutral": 0.2, "positive": 0.7}, abs=1e-3)
        assert given[TEXTS[1]] == pytest.approx({"negative": 0.4, "neutral": 0.05, "positive": 0.55}, abs=1e-3)


def test_as_many_reviews_as_are_read_in_good_time(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "REVIEWS", 2)
    keep("all", *((text, [0.2, 0.2, 0.6]) for text in TEXTS))
    labels.join(data)
    heights = {name: pl.read_parquet(data / f"{name}_labelled.parquet").height for name in labels.TABLES}
    assert heights == {name: 2 if name == "reviews" else 3 for name in labels.TABLES}


def test_a_teacher_that_is_killed_goes_on_and_what_it_says_is_kept(
    data: Path, taught: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", "float32")
    monkeypatch.setattr("sentiment.training.distillation.distil.TEXTS_AT_ONCE", 1)
    asked: list[str] = []
    read = Teacher.read

    def cut(teacher: Teacher, texts: list[PlacedTokens], *settings: Any) -> Any:
        asked.extend(text.tokens[1] for text in texts)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return read(teacher, texts, *settings)

    monkeypatch.setattr(Teacher, "read", cut)
    with pytest.raises(KeyboardInterrupt):
        labels.label(data, taught, "tweets")
    assert not place.exists()
    labels.label(data, taught, "tweets")
    assert asked == ["film", "film", "plot", "plot", "cast"], "the first one also for what its states have in common"

    note = json.loads((place / "tweets-reader.json").read_text())
    assert note == {"rows": 3, "reader": "a tiny one", "seed": 3}
    known = labels.kept()
    said = pl.read_parquet(taught / "tweets.parquet").select(LABELS).rows()
    for text, row in zip(TEXTS, said, strict=True):
        assert known[labels.key_of(text)] == pytest.approx(row, abs=1e-3)
    with pytest.raises(DataError, match="tweets-reader"):
        labels.label(data, taught, "tweets")
    assert len(asked) == 5, "it is refused before the work"


def test_a_model_of_the_project_labels_too(data: Path, tiny_bundle: Path, place: Path) -> None:
    labels.ask(data, tiny_bundle, "films")
    [note] = place.glob("films-tiny-*.json")
    assert "tiny" in json.loads(note.read_text())["reader"]
    assert set(labels.kept()) == {labels.key_of(text) for text in TEXTS}


def test_the_labels_that_the_recipe_reads_are_probabilities_small_and_have_their_notes() -> None:
    files = list((Path(labels.__file__).parent / "labels").glob("*.safetensors"))
    assert files
    for file in files:
        content, note = load_file(file), json.loads(file.with_suffix(".json").read_text())
        assert content["probabilities"].shape == (note["rows"], len(LABELS))
        assert abs(content["probabilities"].astype(np.float32).sum(axis=1) - 1).max() < 0.001
        assert note["reader"]
    sizes = [file.stat().st_size for file in files]
    assert max(sizes) < 15 * 2**20
    assert sum(sizes) < 40 * 2**20
