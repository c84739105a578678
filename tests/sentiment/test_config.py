from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sentiment.config import ModelConfig, TextConfig
from sentiment.errors import ConfigError
from tests.conftest import message_of


def test_defaults() -> None:
    assert TextConfig().model_dump() == {"form": 2, "language": "en", "max_tokens": 4096}
    assert TextConfig().max_characters == 65_536
    assert ModelConfig().model_dump() == {
        "encoder": "lstm",
        "pooling": "final",
        "initial_state": "zero",
        "embedding_size": 100,
        "hidden_size": 128,
        "num_layers": 1,
        "bias": True,
        "bidirectional": True,
        "embedding_dropout": 0.3,
        "dropout": 0.0,
        "weight_drop": 0.0,
        "output_dropout": 0.3,
    }


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError, match="Instance is frozen"):
        TextConfig().language = "de"


def test_numpy_scalars_are_numbers() -> None:
    values = {
        "hidden_size": np.int64(7),
        "dropout": np.float32(0.25),
        "num_layers": np.uint8(2),
        "bias": np.bool_(False),
    }
    assert (
        ModelConfig.of(values)
        == ModelConfig(**values)
        == ModelConfig(hidden_size=7, dropout=0.25, num_layers=2, bias=False)
    )
    assert type(ModelConfig.of(values).hidden_size) is int
    with pytest.raises(ConfigError, match="hidden_size: .* not 0"):
        ModelConfig.of({"hidden_size": np.int64(0)})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"hidden_size": 0}, "hidden_size: Input should be greater than or equal to 1, not 0"),
        ({"hidden_size": True}, "hidden_size: Input should be a valid integer, not True"),
        ({"dropout": float("nan")}, "dropout: Input should be less than 1, not nan"),
        ({"dropout": -0.1}, "dropout: Input should be greater than or equal to 0, not -0.1"),
        (
            {"pooling": "final_and_cell", "weight_drop": 0.5},
            "pooling final_and_cell reads packed rows, whose weights stay whole: leave weight_drop at 0",
        ),
        ({"hiden_size": 5}, "hiden_size: there is no such setting; is it hidden_size?"),
        (
            {"hidden_size": 0, "bias": "maybe"},
            "hidden_size: Input should be greater than or equal to 1, not 0; "
            "bias: Input should be a valid boolean, unable to interpret input, not 'maybe'",
        ),
        ([], "settings: Input should be a valid dictionary or instance of ModelConfig, not []"),
    ],
)
def test_every_fault_is_named_with_its_value(values: Any, message: str) -> None:
    assert message_of(ConfigError, lambda: ModelConfig.of(values)) == message


def test_a_long_value_is_cut() -> None:
    assert len(message_of(ConfigError, lambda: TextConfig.of({"language": "e" * 10_000}))) < 200


@pytest.mark.parametrize("language", ["", "EN", "en-US", "../en", "en.stop_words", "lex_attrs", "\x00", "e n"])
def test_what_is_no_language_code(language: str) -> None:
    with pytest.raises(ConfigError, match="language: spaCy's code of a language is needed, "):
        TextConfig.of({"language": language})
