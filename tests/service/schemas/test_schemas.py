import re
from typing import Any

import pytest
from pydantic import ValidationError

from sentiment.text.normalization import normalize
from service.schemas.base import TEXT_SCHEMA
from service.schemas.prediction import LineRequest, PredictRequest


def test_a_single_text() -> None:
    request = PredictRequest.model_validate({"text": "a"})
    assert request.all_texts == ["a"]
    assert request.pointer(0) == "/text"


def test_several_texts() -> None:
    request = PredictRequest.model_validate({"texts": ["a", "b"]})
    assert request.all_texts == ["a", "b"]
    assert request.pointer(1) == "/texts/1"


def test_empty_values_count_as_given() -> None:
    assert PredictRequest.model_validate({"text": ""}).all_texts == [""]
    assert PredictRequest.model_validate({"texts": []}).all_texts == []


@pytest.mark.parametrize(("content", "given"), [({}, "neither"), ({"text": "a", "texts": ["b"]}, "both")])
def test_exactly_one_of_text_and_texts(content: dict[str, Any], given: str) -> None:
    with pytest.raises(ValidationError, match=f"needs exactly one of `text` and `texts`, not {given}"):
        PredictRequest.model_validate(content)


@pytest.mark.parametrize("content", [{"text": None}, {"texts": None}, {"texts": "a"}, {"texts": [b"a"]}, {"text": 1}])
def test_nothing_is_converted(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PredictRequest.model_validate(content)


def test_a_million_wrong_items_are_one_error() -> None:
    with pytest.raises(ValidationError) as error:
        PredictRequest.model_validate({"texts": [None] * 1_000_000})
    assert error.value.error_count() == 1


def test_the_schema_says_what_the_validation_does() -> None:
    schema = PredictRequest.model_json_schema()
    assert schema["oneOf"] == [{"required": ["text"]}, {"required": ["texts"]}]
    assert schema["additionalProperties"] is False
    assert "default" not in schema["properties"]["text"]
    assert "two items are two texts, never a pair" in schema["properties"]["texts"]["description"]


def test_the_documents_pattern_is_what_the_library_calls_blank() -> None:
    pattern = re.compile(TEXT_SCHEMA["pattern"])
    assert {code for code in range(0x10000) if not pattern.search(chr(code))} == {
        code for code in range(0x10000) if not normalize(chr(code), form=1).strip()
    }


def test_a_line_is_one_text_and_its_options() -> None:
    line = LineRequest.model_validate({"text": "a", "strict": True, "threshold": 1, "sentences": True})
    assert (line.text, line.strict, line.threshold, line.sentences) == ("a", True, 1.0, True)
    for content in ({"texts": ["a"]}, {}, {"text": "a", "threshold": 1.5}, {"text": "a", "strict": 1}):
        with pytest.raises(ValidationError):
            LineRequest.model_validate(content)
