"""Texts that can't be read are answered None where that is asked for; frames come back with the answers."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from sentiment.classifier import Classifier, load
from sentiment.errors import ConfigError, DataError, TextError
from sentiment.predictor import READ_AT_ONCE
from sentiment.scoring import ScoringSettings
from sentiment.scoring.predict.output_columns import OutputColumns

UNREADABLE: list[Any] = [None, float("nan"), "", " \n", "<br>", "&nbsp;", "\ud800", 7, b"good"]


def make(library: str, columns: dict[str, list[Any]]) -> Any:
    if library == "polars":
        return pl.DataFrame(columns)
    pandas = pytest.importorskip("pandas", reason="no pandas here: pip install pandas")
    return pandas.DataFrame(columns, index=[5] * len(columns["text"]))


def rows(frame: Any) -> list[dict[str, Any]]:
    return frame.to_dicts() if isinstance(frame, pl.DataFrame) else frame.to_dict("records")


def test_what_cannot_be_read_is_answered_none(tiny_classifier: Classifier) -> None:
    texts = [each for text in UNREADABLE for each in ("good", text, "bad <b>film</b>")] * (READ_AT_ONCE // 16)
    answers = tiny_classifier.predict(texts, on_error="skip")
    good, bad = tiny_classifier.predict(["good", "bad <b>film</b>"])
    assert answers == [good, None, bad] * (len(texts) // 3)
    assert tiny_classifier.predict([], on_error="skip") == []
    assert tiny_classifier.predict(UNREADABLE, on_error="skip") == [None] * len(UNREADABLE)
    assert tiny_classifier.predict(pa.array(["good", None]), on_error="skip") == [good, None]


def test_no_column_of_texts_is_refused_all_the_same(tiny_classifier: Classifier) -> None:
    for texts in ("good", None, {"text": "good"}):
        with pytest.raises(DataError):
            tiny_classifier.predict(texts, on_error="skip")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=r'on_error is "raise" or "skip", not \'ignore\''):
        tiny_classifier.predict(["good"], on_error="ignore")  # type: ignore[arg-type]
    with pytest.raises(TextError):
        tiny_classifier.predict(["good", ""], on_error="raise")


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_frame_gets_the_columns_that_score_adds(tiny_classifier: Classifier, library: str) -> None:
    texts = ["A great film.", "bad :(", "okay zyzzyva"]
    frame = make(library, {"id": [1, 2, 3], "text": texts})
    found = tiny_classifier.predict_frame(frame)
    assert type(found) is type(frame)
    assert list(frame.columns) == ["id", "text"]
    columns = OutputColumns(tiny_classifier, ScoringSettings())
    expected = [columns.values(each) for each in tiny_classifier.predict(texts)]
    for row in expected:
        del row["model_version"]
    assert rows(found) == [{"id": place + 1, "text": texts[place], **expected[place]} for place in range(3)]
    kinds = [str(kind).lower() for kind in (found.dtypes if library == "polars" else found.dtypes.to_list())]
    assert kinds[3:] == ["float64"] * 3 + ["int64"] * 2 + [kinds[-1]]
    assert kinds[-1].startswith("bool")
    if library == "pandas":
        assert list(found.index) == [5, 5, 5]


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_rows_that_cannot_be_read_have_missing_values(tiny_classifier: Classifier, library: str) -> None:
    frame = make(library, {"said": ["good", None, "<br>"], "text": ["x", "y", "z"], "label": ["a", "b", "c"]})
    with pytest.raises(TextError):
        tiny_classifier.predict_frame(frame, "said", prefix="predicted_")
    found = tiny_classifier.predict_frame(frame, text="said", prefix="predicted_", on_error="skip")
    added = [name for name in found.columns if name.startswith("predicted_")]
    assert [len(added), list(found.columns)[:3]] == [7, ["said", "text", "label"]]
    missing = found.select(added).null_count().row(0) if library == "polars" else found[added].isna().sum().to_list()
    assert list(missing) == [2] * 7
    assert rows(found)[0]["predicted_tokens"] == 1
    assert rows(found)[0]["predicted_truncated"] == False  # noqa: E712  # of NumPy, too


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_an_empty_frame_gets_the_columns(tiny_classifier: Classifier, value_bundle: Path, library: str) -> None:
    frame = make(library, {"text": []})
    found = tiny_classifier.predict_frame(frame)
    assert list(found.columns)[1:] == [
        "label", "probability_negative", "probability_neutral", "probability_positive",
        "tokens", "unknown_tokens", "truncated",
    ]  # fmt: skip
    found = load(value_bundle, task="regression").predict_frame(frame)
    assert list(found.columns)[1:] == ["value", "tokens", "unknown_tokens", "truncated"]


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_what_a_frame_lacks_or_has_already_is_named(tiny_classifier: Classifier, library: str) -> None:
    frame = make(library, {"text": ["good"], "label": ["x"]})
    with pytest.raises(ConfigError, match="already has a column 'label'.*prefix="):
        tiny_classifier.predict_frame(frame)
    with pytest.raises(DataError, match="no column 'comment', but text, label"):
        tiny_classifier.predict_frame(frame, "comment")


@pytest.mark.parametrize("frame", [["good"], {"text": ["good"]}, None, pa.table({"text": ["good"]}), "good"])
def test_what_is_no_frame_is_refused(tiny_classifier: Classifier, frame: object) -> None:
    with pytest.raises(DataError, match="the frame is a DataFrame of pandas or Polars, not "):
        tiny_classifier.predict_frame(frame)
    with pytest.raises(DataError, match="collect"):
        tiny_classifier.predict_frame(pl.LazyFrame({"text": ["good"]}))


def test_neither_library_is_imported_for_it(tiny_bundle: Path) -> None:
    script = (
        "import sys, sentiment\n"
        f"classifier = sentiment.load({str(tiny_bundle)!r})\n"
        "classifier.predict(['good', None], on_error='skip')\n"
        "try:\n    classifier.predict_frame(['good'])\n"
        "except Exception as error:\n    print(type(error).__name__)\n"
        "print([name for name in ('pandas', 'polars', 'pyarrow') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.split("\n")[:2] == ["DataError", "[]"]
