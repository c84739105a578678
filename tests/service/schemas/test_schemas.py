"""Schemas of requests as the document shows them; routes/test_predict.py tests the answers."""

import re

import pytest
from pydantic import ValidationError

from sentiment.text.normalization import normalize
from service.schemas.base import TEXT_SCHEMA
from service.schemas.prediction import LineRequest, PredictRequest


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
