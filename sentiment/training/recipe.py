"""Define the recipe: all data and settings of a training, from a TOML file or command-line options."""

import os
import re
import sys
import unicodedata
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sentiment.config import Count, ModelConfig, Settings, Task, TextConfig, TrainingConfig, VocabularyConfig
from sentiment.default import NOTHING, SHIPPED
from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour import DEFAULT
from sentiment.storage.formats import check_separator
from sentiment.storage.remote import is_remote

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CROSS_VALIDATED_ROWS = 2000  # by default: of more rows a tenth is enough to judge by
Label = Annotated[str, AfterValidator(partial(unicodedata.normalize, "NFC"))]  # as those of files are read


def _name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name):
        raise ValueError(
            "a model has the name of its folder: up to 64 small letters, digits and . _ -, a letter or digit first"
        )
    return name


def check_dropout(model: ModelConfig) -> None:
    """Raise ConfigError if dropout would be between the layers of a network that has one."""
    if model.dropout and model.num_layers == 1:
        cure = "leave it at 0, take --num-layers 2 or more, or --weight-drop, which is within a layer"
        raise ConfigError(f"model.dropout is {model.dropout:g} between layers, and the network has one: {cure}")


class Source(Settings):
    """Labelled rows: of a file, its format by its suffix, of all files of a folder, or of those of a glob.

    Here or behind a URL. A relative path starts at the recipe's folder.
    """

    path: Annotated[str, BeforeValidator(lambda path: str(path) if isinstance(path, Path) else path)]
    text_column: str = "text"
    label_column: str = "label"
    separator: str | None = None  # between the cells of CSV and TSV, where the suffix doesn't say it
    label_mapping: dict[Label, Label] = Field(default_factory=dict)  # a value or a range of numbers, and its label
    soft_labels: bool = False  # a teacher's: a column for each label, named like it, holds its probability
    repeat: Count = 1  # how many times an epoch reads it
    where: dict[str, str] = Field(default_factory=dict)  # keeps the rows whose columns hold these values

    @model_validator(mode="after")
    def _refuse_separators_of_nothing(self) -> "Source":
        check_separator(self.separator)
        return self


class Card(Settings):
    """The paragraphs of a model card that are written by hand."""

    summary: str = "A sentiment model."
    data: str = ""
    licences: str = ""
    intended_use: str = ""
    not_for: str = ""


class Recipe(Settings):
    """The data and settings of a training."""

    name: Annotated[str, AfterValidator(_name)]
    task: Task = "classification"  # regression: the label column holds numbers, and one is learned
    labels: tuple[Label, ...] = ()  # the classes; none: those of the rows with one label
    train: tuple[Source, ...]  # empty where the rows are in memory
    dev: tuple[Source, ...] = ()
    unlabelled: tuple[Source, ...] = ()  # texts that the linear model of a small table labels
    skip_empty: bool = False  # leave rows without text out, instead of refusing the file
    skip_bad_rows: bool = False  # the same of rows that can't be read or have no label
    require: tuple[str, ...] = ()  # behaviour suites that it must hold to be written: "default", or YAML files
    card: Card = Card()
    text: TextConfig = TextConfig()
    vocabulary: VocabularyConfig = VocabularyConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()

    @model_validator(mode="after")
    def _refuse_labels_of_numbers(self) -> "Recipe":
        if self.task == "regression":
            if self.labels or any(each.label_mapping or each.soft_labels for each in (*self.train, *self.dev)):
                raise ValueError("a regression learns the label column's numbers: leave names of labels out")
            if self.training.balanced:
                raise ValueError("a regression has no classes: leave balanced out")
        return self

    @model_validator(mode="after")
    def _refuse_dropout_between_no_layers(self) -> "Recipe":
        if not self.training.starts_from_model:  # which brings its own layers
            check_dropout(self.model)
        return self

    @model_validator(mode="after")
    def _refuse_words_of_a_pretrained_model(self) -> "Recipe":
        if self.training.starts_from_model and self.training.vectors:
            raise ValueError("a pretrained model brings the vectors of its words: leave --vectors or --from out")
        if self.training.starts_from_model and self.vocabulary != VocabularyConfig():
            raise ValueError("a pretrained model brings its words: leave vocabulary or training.start out")
        if self.training.start_share and not self.training.starts_from_model:
            share = f"training.start_share is {self.training.start_share:g}"
            raise ValueError(f"{share}, and there is no model to keep it of: name one as training.start")
        return self

    @classmethod
    def read(cls, file: Path) -> "Recipe":
        """Read a recipe from TOML. Raises ConfigError for an unreadable file or an unknown setting."""
        try:
            values = tomllib.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"recipe {file}: there is no such file") from None
        except OSError as error:
            raise ConfigError(f"recipe {file}: can't be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"recipe {file}: is not UTF-8; save it as UTF-8") from None
        except ValueError as error:
            raise ConfigError(f"recipe {file}: is not TOML: {error}") from None
        listed = [values[role] for role in ("train", "dev", "unlabelled") if isinstance(values.get(role), list)]
        for source in (source for sources in listed for source in sources):
            if isinstance(source, dict) and not is_remote(str(source.get("path", "://"))):
                source["path"] = file.parent / str(source["path"])
        if isinstance(values.get("require"), list):
            values["require"] = [
                suite if suite == DEFAULT else str(file.parent / str(suite)) for suite in values["require"]
            ]
        training = values.get("training")
        if isinstance(training, dict) and isinstance(training.get("vectors"), list):
            training["vectors"] = [
                str(file.parent / vectors) if "/" in str(vectors) else vectors for vectors in training["vectors"]
            ]
        if isinstance(training, dict) and training.get("start", NOTHING) not in (NOTHING, SHIPPED):
            training["start"] = os.path.join(file.parent, str(training["start"]))  # keeps `./`
        try:
            return cls.of(values)
        except ConfigError as error:
            raise ConfigError(f"recipe {file}: {error}") from None
