from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from sentiment.config import TextConfig
from sentiment.errors import CheckpointError, DataError
from sentiment.text.tokenizer import PlacedTokens, Tokenizer
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import Data, read_data
from sentiment.training.distillation.distil import TEACHING, label_texts, soft_sources, train_teacher
from sentiment.training.distillation.teacher import Teacher
from sentiment.training.distillation.token_states import from_bytes
from sentiment.training.recipe import Recipe, Source

Write = Callable[[Path, int], Path]


@pytest.fixture(scope="module")
def encoder(save_encoder: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_encoder(tmp_path_factory.mktemp("encoders") / "tiny"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, write_reviews: Write) -> Data:
    path = write_reviews(tmp_path_factory.mktemp("data") / "a.csv", 300)
    return read_data(Recipe.of({"name": "toy", "train": [{"path": path}]}))


@pytest.fixture
def unlabelled(tmp_path: Path) -> list[Source]:
    path = tmp_path / "u.csv"
    path.write_text('text\nthe film was great 1\n""\nthe plot was dull 2\nthe plot was dull 2\n')
    return [Source(path=path)]


def label(teacher: Teacher, source: Source, out: Path) -> int:
    return label_texts(teacher, source, out, TextConfig(), out.with_suffix(".safetensors"))


def test_a_teacher_learns(encoder: str, data: Data) -> None:
    config = TEACHING.model_copy(update={"epochs": 4, "learning_rate": 5e-3})
    teacher, score = train_teacher(Teacher.start(encoder, data.labels), data.train, data.dev, config, lambda _: None)
    assert score == 1.0
    texts = Tokenizer(TextConfig()).place(["the cast was superb 4", "the cast was poor 5"])
    said = teacher.read(texts, 32, lambda states: states)[0].argmax(dim=-1)  # (N,)
    assert [data.labels[place] for place in said.tolist()] == ["positive", "negative"]


def test_a_teacher_is_judged_by_long_dev_texts_as_it_reads_them(encoder: str, data: Data) -> None:
    long = LabelledTexts("long", ["the film was great " * 50, "the plot was dull"], ["positive", "negative"])
    config = TEACHING.model_copy(update={"max_tokens": 32})
    _, score = train_teacher(Teacher.start(encoder, data.labels), data.train[:1], [long], config, lambda _: None)
    assert 0 <= score <= 1, "the encoder has places for 64 pieces, and the text has over 200"


def test_what_it_labels_is_a_soft_source(
    encoder: str, data: Data, unlabelled: list[Source], tmp_path: Path, dtype: str
) -> None:
    call: dict[str, Any] = {"fingerprint": {"a": "1"}, "report": lambda _: None, "text": TextConfig(), "restart": False}
    call["dtype"] = dtype
    (soft,) = soft_sources(encoder, data, unlabelled, tmp_path / "work", **call)
    assert soft.soft_labels
    table = pl.read_parquet(soft.path)
    assert table.columns == ["text", "negative", "positive", "states"]
    assert [len(states) for states in table["states"]] == [5 * 16 * 2] * 2  # tokens, numbers of each, bytes
    assert table["text"].to_list() == ["the film was great 1", "the plot was dull 2"]
    assert (table["negative"] + table["positive"]).to_list() == pytest.approx([1.0, 1.0])

    # Done is done: neither taught nor labelled again.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "work").rglob("*.*") if path.stem != "identity"}
    assert soft_sources(encoder, data, unlabelled, tmp_path / "work", **call) == [soft]
    assert {path: path.stat().st_mtime_ns for path in before} == before

    # A teacher that is taught already is asked as it is.
    (other,) = soft_sources(str(tmp_path / "work" / "teacher"), data, unlabelled, tmp_path / "other", **call)
    assert Path(other.path).read_bytes() == Path(soft.path).read_bytes()
    assert not (tmp_path / "other" / "teacher").exists()

    with pytest.raises(CheckpointError, match=r"belongs to another training: a was 1, is 2\. Undo that change"):
        soft_sources(encoder, data, unlabelled, tmp_path / "work", **{**call, "fingerprint": {"a": "2"}})
    (again,) = soft_sources(
        encoder, data, unlabelled, tmp_path / "work", **{**call, "fingerprint": {"a": "2"}, "restart": True}
    )
    assert Path(again.path).read_bytes() == Path(soft.path).read_bytes()


def test_all_that_a_teacher_labels_has_states_along_the_same_directions(
    encoder: str, data: Data, tmp_path: Path
) -> None:
    for name, first in (("a", "the film was great 1"), ("b", "the plot was dull and the cast was awful")):
        (tmp_path / f"{name}.csv").write_text(f"text\n{first}\na bad film\n")
    sources = [Source(path=str(tmp_path / f"{name}.csv")) for name in "ab"]
    call: dict[str, Any] = {"fingerprint": {}, "report": lambda _: None, "text": TextConfig(), "restart": False}
    tables = [pl.read_parquet(each.path) for each in soft_sources(encoder, data, sources, tmp_path / "work", **call)]
    same = [from_bytes(table["states"][1], 3).float() for table in tables]  # (T, K) each: one text, one teacher
    torch.testing.assert_close(*same, rtol=0, atol=1e-2)
    assert same[0].abs().max() > 0.1


def test_no_text_is_no_row(encoder: str, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("text\n")
    teacher = Teacher.start(encoder, ("negative", "positive")).eval()
    assert label(teacher, Source(path=str(tmp_path / "none.csv")), tmp_path / "out.parquet") == 0


def test_a_long_text_has_labels_alone(encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentiment.training.distillation.distil.STATES_MAX_TOKENS", 8)
    (tmp_path / "long.csv").write_text(f"text\n{'film ' * 8}\n{'film ' * 9}\n")
    teacher = Teacher.start(encoder, ("negative", "positive")).eval()
    label(teacher, Source(path=str(tmp_path / "long.csv")), tmp_path / "out.parquet")
    table = pl.read_parquet(tmp_path / "out.parquet")
    assert table["states"].is_null().to_list() == [False, True]
    assert table["positive"].is_between(0, 1).all()


def test_all_that_is_labelled_is_in_the_format_that_was_quicker_at_first(
    encoder: str, unlabelled: list[Source], tmp_path: Path, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher = Teacher.start(encoder, ("negative", "positive")).eval()
    formats: list[str] = []
    read = teacher.read

    def noted(*arguments: Any) -> Any:
        formats.append(arguments[3])
        return read(*arguments)

    monkeypatch.setattr(teacher, "read", noted)
    for chosen, out in ((dtype, "first"), ("not measured again", "second")):
        monkeypatch.setenv("SENTIMENT_TEST_DTYPE", chosen)
        label_texts(teacher, unlabelled[0], tmp_path / out, TextConfig(), tmp_path / "labelling.safetensors")
    assert formats == [dtype] * 3  # for the directions of the states, and for each file


def test_labelling_that_was_cut_goes_on(
    encoder: str, unlabelled: list[Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentiment.training.distillation.distil.TEXTS_AT_ONCE", 1)
    teacher = Teacher.start(encoder, ("negative", "positive")).eval()
    assert label(teacher, unlabelled[0], tmp_path / "whole.parquet") == 2

    asked: list[str] = []
    ask = teacher.read

    def once(texts: list[PlacedTokens], *settings: Any) -> Any:
        asked.extend(text.tokens[1] for text in texts)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return ask(texts, *settings)

    monkeypatch.setattr(teacher, "read", once)
    with pytest.raises(KeyboardInterrupt):
        label(teacher, unlabelled[0], tmp_path / "cut.parquet")
    assert label(teacher, unlabelled[0], tmp_path / "cut.parquet") == 2
    assert asked == ["film", "film", "plot", "plot"]  # once more at first, for the directions of the states
    assert (tmp_path / "cut.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert sorted(path.name for path in tmp_path.glob("*cut*")) == ["cut.parquet", "cut.safetensors"]


def test_a_teacher_of_other_labels_is_refused(
    encoder: str, data: Data, unlabelled: list[Source], tmp_path: Path
) -> None:
    Teacher.start(encoder, ("no", "yes")).save(tmp_path / "taught")
    with pytest.raises(DataError, match="the teacher knows no, yes, not negative, positive"):
        soft_sources(
            str(tmp_path / "taught"),
            data,
            unlabelled,
            tmp_path / "work",
            {},
            lambda _: None,
            TextConfig(),
            restart=False,
        )
