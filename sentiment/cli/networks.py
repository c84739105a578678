"""Turn the options of the network and of its training into settings."""

from enum import Enum
from typing import Any

import typer


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


# Options that the default model's own network and words would contradict.
OWN_NETWORK = (
    "encoder", "pooling", "initial_state", "num_layers", "hidden_size", "embedding_size", "dropout", "weight_drop",
    "vectors",
)  # fmt: skip


def training_settings(context: typer.Context) -> dict[str, Any]:
    """Return the recipe's settings that a command's options give, of those that were given."""
    given = context.params
    names = ("balanced", "seed", "vectors", "start", "epochs", "frozen_embedding_epochs", "learning_rate")
    model = {name: given[name] for name in OWN_NETWORK if name not in ("encoder", "vectors")}
    return {
        "task": given["task"].value,
        "text": {"language": given["language"]},
        "model": network(given["encoder"], **model),
        "training": {name: given[name] for name in names if given[name] is not None},
    }


def is_given(context: typer.Context, name: str) -> bool:
    """Return whether the option of this name stands on the command line."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


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
