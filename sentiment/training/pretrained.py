"""Start from a pretrained model: keep its vocabulary and network, and continue from its weights.

It has learned words and how to combine them before the first labelled row (Howard and Ruder 2018).
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.config import ModelConfig, TextConfig
from sentiment.default import model_folder
from sentiment.errors import ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.training.recipe import Recipe, check_dropout

FEW_ROWS = 20_000
EPOCHS_OF_FEW_ROWS = 4
_RATES = {"embedding_dropout", "dropout", "weight_drop", "output_dropout"}  # of the training, not of the network


def load_pretrained(source: str) -> Bundle:
    """Load the model of a folder, or the package's. Raises BundleError if it can't be read."""
    return bundles.load(model_folder(source))


def merge_pretrained(recipe: Recipe, pretrained: Bundle) -> Recipe:
    """Return the recipe with the network and text settings of the pretrained model, but its own dropouts.

    The card names the pretrained model. Raises ConfigError for a recipe with other settings.
    """
    network = pretrained.model.config
    text = pretrained.text_config
    for part, given, own, plain in (
        ("model", _shape(recipe.model), _shape(network), _shape(ModelConfig())),
        ("text", recipe.text.model_dump(), text.model_dump(), TextConfig().model_dump()),
    ):
        for name, value in given.items():
            if value not in (own[name], plain[name]):
                raise ConfigError(
                    f"{part}.{name}: the pretrained model {pretrained.name} has {own[name]!r}, not {value!r}: leave it "
                    "out, or take --from nothing"
                )
    rates = recipe.model.model_dump(include=_RATES)
    model = ModelConfig.of(network.model_dump() | rates)
    check_dropout(model)
    origin = (
        f"It started from the model {pretrained.name}, version {pretrained.version}, whose card lists its own training "
        "data."
    )
    card = recipe.card
    if origin not in card.data:  # unless it is merged already
        card = card.model_copy(update={"data": f"{card.data}\n\n{origin}".strip()})
    return recipe.model_copy(update={"model": model, "text": text, "card": card})


def settings_for(recipe: Recipe, rows: int) -> Recipe:
    """Return the recipe with training settings that suit so many rows, where it gives none of its own.

    Measured with `python -m benchmarks.own_rows`: few rows can't teach tens of thousands of words, and a step that
    leaves them as they are takes a third of the time.
    """
    training = recipe.training
    if rows <= FEW_ROWS:
        given = training.model_fields_set
        epochs = training.epochs if "epochs" in given else EPOCHS_OF_FEW_ROWS
        suited = {"epochs": epochs, "frozen_embedding_epochs": epochs}
        training = training.model_copy(update={name: suited[name] for name in suited.keys() - given})
    return recipe.model_copy(update={"training": training})


def _shape(config: ModelConfig) -> dict[str, Any]:
    return config.model_dump(exclude=_RATES)


def copy_pretrained(model: SentimentModel, labels: Sequence[str], pretrained: Bundle) -> None:
    """Copy the pretrained weights into a network. Labels that the pretrained model lacks start at random.

    The logits are those that its temperature has divided.
    """
    weights = {name: tensor.clone() for name, tensor in pretrained.model.state_dict().items()}
    for name, own in model.classifier.named_parameters():
        learned = weights[f"classifier.{name}"] / pretrained.temperature
        weights[f"classifier.{name}"] = own.detach().clone()
        for index, row in enumerate(known_labels(labels, pretrained)):
            if row is not None:
                weights[f"classifier.{name}"][index] = learned[row]
    model.load_state_dict({**model.state_dict(), **weights})


def known_labels(labels: Sequence[str], pretrained: Bundle) -> list[int | None]:
    """Return which row of the pretrained classifier is each label's, None for one that it lacks."""
    known = {label: row for row, label in enumerate(pretrained.labels or [""])}
    return [known.get(label) for label in labels or [""]]  # a regression has one row, without a name


def interpolate_towards(
    model: SentimentModel, labels: Sequence[str], pretrained: Bundle, share: float
) -> Callable[[SentimentModel], SentimentModel]:
    """Return a function that moves learned weights by this share back to the present weights of `model`.

    A model in between keeps more of its knowledge, and is often more accurate than either end (Wortsman et al. 2022,
    robust fine-tuning). The classifier stays as learned if one of its labels started at random.
    """
    known = None not in known_labels(labels, pretrained)
    start = {
        name: tensor.clone()
        for name, tensor in model.state_dict().items()
        if name in pretrained.model.state_dict() and (known or not name.startswith("classifier."))
    }

    def keep(learned: SentimentModel) -> SentimentModel:
        kept = copy.deepcopy(learned)
        weights = kept.state_dict()
        for name, tensor in start.items():
            weights[name].lerp_(tensor, share)
        return kept

    return keep
