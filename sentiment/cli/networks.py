"""Name the networks as command-line options do."""

from enum import Enum
from typing import Any


class Task(str, Enum):
    """The kind of answer."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Encoder(str, Enum):
    """The network that reads the embedded tokens."""

    BOW = "bow"
    CNN = "cnn"
    RNN = "rnn"
    LSTM = "lstm"
    BILSTM = "bilstm"


class Pooling(str, Enum):
    """The part of a recurrent encoder's output that is classified."""

    FINAL = "final"
    FINAL_AND_CELL = "final_and_cell"
    MAX = "max"
    MEAN = "mean"
    ATTENTION = "attention"
    STEPWISE = "stepwise"


class InitialState(str, Enum):
    """The initial state of a recurrent encoder."""

    ZERO = "zero"
    LEARNED = "learned"
    RANDOM = "random"


class Dtype(str, Enum):
    """The number format of a training step's products."""

    AUTO = "auto"
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"


def network(encoder: Encoder, **settings: Any) -> dict[str, Any]:
    """Return the settings of `ModelConfig` for an encoder; of the others, those that were given."""
    match encoder:
        case Encoder.BILSTM:
            kind: dict[str, Any] = {"encoder": "lstm", "bidirectional": True}
        case Encoder.LSTM | Encoder.RNN:
            kind = {"encoder": encoder.value, "bidirectional": False}
        case _:
            kind = {"encoder": encoder.value}
    given = {name: value.value if isinstance(value, Enum) else value for name, value in settings.items()}
    return kind | {name: value for name, value in given.items() if value is not None}
