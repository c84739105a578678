"""Frozen settings of the text steps and of the network, validated where they are made."""

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from sentiment.default import NOTHING
from sentiment.errors import ConfigError

Rate = Annotated[float, Field(ge=0, lt=1, strict=True)]
Count = Annotated[int, Field(ge=1, strict=True)]
Size = Annotated[int, Field(ge=1, le=2048, strict=True)]  # bounded: a wrong file can't ask for a network of terabytes
Task = Literal["classification", "regression"]  # what a text is answered with: a label, or a number
SettingsT = TypeVar("SettingsT", bound="Settings")


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown names; `of` reports errors in one line."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _take_numpy_scalars(cls, values: Any) -> Any:
        """Take NumPy's numbers for Python's: a grid of settings is often a range of NumPy's."""
        if not isinstance(values, dict):
            return values
        return {name: value.item() if getattr(value, "shape", None) == () else value for name, value in values.items()}

    @classmethod
    def of(cls: type[SettingsT], values: Any) -> SettingsT:
        """Return the validated settings. Raises ConfigError naming each setting at fault and its value."""
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError("; ".join(_fault(cls, each) for each in error.errors())) from None


def _fault(settings: type[Settings], fault: Any) -> str:
    name, found = ".".join(map(str, fault["loc"])), f"{fault['input']!r:.80}"
    match fault["type"]:
        case "value_error":
            reason = str(fault["ctx"]["error"])
            if isinstance(fault["input"], str | int | float):
                return f"{name}: {reason}, not {found}"
            # Settings at odds with each other: the words of the check name them, all values beside would hide it.
            return f"{name}: {reason}" if name else reason
        case "missing":
            return f"{name}: is missing"
        case "extra_forbidden":
            near = get_close_matches(str(fault["loc"][-1]), _names(settings, fault["loc"][:-1]), n=1, cutoff=0.8)
            return f"{name}: there is no such setting" + (f"; is it {near[0]}?" if near else "")
        case "tuple_type":
            return f"{name}: a list is needed ([[{name}]] above each, where they are tables), not {found}"
        case _:
            return f"{name or 'settings'}: {fault['msg']}, not {found}"


def _names(settings: type[Settings], path: Sequence[str | int]) -> list[str]:
    """Return the names of the settings at a path."""
    for name in path:
        if isinstance(name, str) and name in settings.model_fields:
            annotation = settings.model_fields[name].annotation
            types = get_args(annotation) or (annotation,)
            settings = next((each for each in types if isinstance(each, type) and issubclass(each, Settings)), settings)
    return list(settings.model_fields)


def _language(code: str) -> str:
    if not re.fullmatch("[a-z]{2,3}", code):
        raise ValueError("spaCy's code of a language is needed, two or three small letters such as en or zh")
    return code


class TextConfig(Settings):
    """Settings of the step from text to tokens. Part of the bundle: a model reads text as it was trained to."""

    # Which of the ways to write a text in one form; a model keeps its own. 1: those from before there was a choice.
    form: Literal[1, 2] = 2
    language: Annotated[str, AfterValidator(_language)] = "en"  # any spaCy language code
    # Past it the head and the tail are kept, and the answer says so.
    max_tokens: Annotated[int, Field(ge=2, le=1 << 16, strict=True)] = 4096

    @property
    def max_characters(self) -> int:
        """Return a limit on the characters read, 16 a token, to bound the time before tokens are known."""
        return 16 * self.max_tokens


def recorded_text(values: Any) -> Any:
    """Return the saved values of a TextConfig; models from before form 2 have no `form`, which is 1."""
    return {"form": 1} | values if isinstance(values, dict) else values


class ModelConfig(Settings):
    """The network: its kind and its sizes. The names are torch.nn.LSTM's where it has one."""

    encoder: Literal["bow", "cnn", "rnn", "lstm"] = "lstm"
    # What of a recurrent encoder goes to the classifier: the final ht, or ht and ct, or a summary of all steps' output,
    # or stepwise: in training every step, each for itself, so that there is an answer after each word.
    pooling: Literal["final", "final_and_cell", "max", "mean", "attention", "stepwise"] = "final"
    # h0 and c0. Random ones are drawn in training alone: an answer starts from zeros, the same each time.
    initial_state: Literal["zero", "learned", "random"] = "zero"
    embedding_size: Size = 100  # F
    hidden_size: Size = 128  # H, of each direction
    num_layers: Annotated[int, Field(ge=1, le=8, strict=True)] = 1  # L
    bias: bool = True
    bidirectional: bool = True
    embedding_dropout: Rate = 0.3  # one mask for all time steps of a text
    dropout: Rate = 0.0  # between LSTM layers
    weight_drop: Rate = 0.0  # of the weights from state to state, in each direction, one mask a batch
    output_dropout: Rate = 0.3  # on what the classifier reads

    @model_validator(mode="after")
    def _refuse_what_nothing_reads(self) -> "ModelConfig":
        if self.encoder == "rnn" and self.pooling == "final_and_cell":
            raise ValueError("an rnn has no cell: pooling final_and_cell needs the encoder lstm")
        if self.pooling == "final_and_cell" and self.weight_drop:
            raise ValueError(
                "pooling final_and_cell reads packed rows, whose weights stay whole: leave weight_drop at 0"
            )
        if self.pooling == "stepwise" and self.bidirectional and self.encoder in ("rnn", "lstm"):
            raise ValueError(
                "pooling stepwise answers after each word, before the next is read: it needs a network that reads one "
                "way, --encoder lstm or rnn (bidirectional false)"
            )
        if self.encoder in ("bow", "cnn"):
            plain = ModelConfig()
            for name in ("pooling", "initial_state", "num_layers", "dropout", "weight_drop", "bias", "bidirectional"):
                if getattr(self, name) != getattr(plain, name):
                    raise ValueError(
                        f"the encoder {self.encoder} is not recurrent: leave {name} at {getattr(plain, name)}"
                    )
        return self

    @property
    def is_plain_lstm(self) -> bool:
        """Return whether the classifier reads the final `ht` of an LSTM that starts from zeros, and nothing else."""
        pooled = self.pooling not in ("final", "stepwise")
        return self.encoder == "lstm" and not pooled and self.initial_state != "learned"

    @property
    def reads_one_way(self) -> bool:
        """Return whether the state after each word depends only on the words up to it."""
        return self.encoder in ("rnn", "lstm") and not self.bidirectional and self.pooling in ("final", "stepwise")


class VocabularyConfig(Settings):
    """Which tokens get a vector of their own."""

    max_size: Annotated[int, Field(ge=3)] = 40_000
    min_count: Count = 2
    pieces: Annotated[int, Field(ge=0, strict=True)] = 0  # beside them, parts of words that others are read by


class TrainingConfig(Settings):
    """Settings of the training. The defaults suit a few thousand to a few hundred thousand rows."""

    epochs: Count = 8
    patience: Count = 3  # epochs without a better dev score before it stops
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-3
    embedding_learning_rate_share: Annotated[float, Field(gt=0, le=1)] = 1.0
    # Epochs at the start in which the embedding stays as it is; as many as `epochs` keep it so for good.
    frozen_embedding_epochs: Annotated[int, Field(ge=0, strict=True)] = 0
    schedule: Literal["cosine", "linear", "constant"] = "cosine"  # how the learning rate falls to 0, or doesn't
    warmup_share: Rate = 0.03  # of all steps: the rate rises in a line
    weight_decay: Annotated[float, Field(ge=0)] = 0.0  # not on the embedding
    max_batch_tokens: Count = 6000  # padded
    max_batch_rows: Count = 256
    max_tokens: Annotated[int, Field(ge=2)] = 400  # of a text in training; an answer reads up to TextConfig's
    word_dropout: Rate = 0.1  # share of tokens read as <unk>: this is how <unk> gets a meaning
    misspelling: Rate = 0.0  # share of words read by their pieces, or by those of a typo, where the vocabulary has some
    balanced: bool = False  # each class weighs as much as any other, however few its rows
    ema_decay: Rate = 0.999  # the weights kept are the moving average of those trained
    clip_norm: Annotated[float, Field(gt=0)] = 1.0
    # Of a table of at most so many rows, where no dev data is given, all are learned: cross-validation judges.
    cross_validated_rows: Annotated[int, Field(ge=0, strict=True)] = 0
    dev_share: Annotated[float, Field(gt=0, lt=1)] = 0.1  # split off where no dev data is given
    linear_start: bool = False  # where nothing else starts a small table, a linear model of its rows does
    vectors: tuple[str, ...] = ()  # pretrained, side by side in the first features: a package's name, or a file
    start: str = NOTHING  # or a model whose words and weights it starts from: its folder, or default, the shipped one
    start_share: Rate = 0.0  # of that model's weights in those kept; the rest is what was learned
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"  # of a step's products; auto: the quicker, by measurement
    seed: Annotated[int, Field(ge=0, lt=1 << 63, strict=True)] = 0

    @property
    def starts_from_model(self) -> bool:
        """Return whether it starts from a model's weights."""
        return self.start != NOTHING
