"""Define which settings a search varies and how far, and apply their values to a recipe."""

from typing import Any

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from sentiment.training.recipe import Recipe

Values = dict[str, Any]  # a setting's name, as a recipe has it, such as model.hidden_size, and its value
DIGITS = 4  # that a number of a recipe has at most


def build_search_space(recipe: Recipe) -> dict[str, BaseDistribution]:
    """Return the choices of each setting, the recipe's own value among them."""
    model, training = recipe.model, recipe.training
    found: dict[str, BaseDistribution] = {
        "training.learning_rate": FloatDistribution(
            training.learning_rate / 8, min(1.0, training.learning_rate * 8), log=True
        ),
        "training.embedding_learning_rate_share": FloatDistribution(
            min(0.1, training.embedding_learning_rate_share), 1.0, log=True
        ),
        "training.weight_decay": _up_to(0.1, training.weight_decay),
        "training.word_dropout": _up_to(0.3, training.word_dropout),
        "model.embedding_dropout": _up_to(0.6, model.embedding_dropout),
        "model.output_dropout": _up_to(0.6, model.output_dropout),
    }
    if not training.starts_from_model:  # its weights fit no other size
        sizes = {max(1, model.hidden_size // 2), model.hidden_size, 2 * model.hidden_size}
        found["model.hidden_size"] = CategoricalDistribution(sorted(sizes))
    if model.encoder in ("rnn", "lstm") and model.pooling != "final_and_cell":
        found["model.weight_drop"] = _up_to(0.5, model.weight_drop)
    if model.num_layers > 1:
        found["model.dropout"] = _up_to(0.5, model.dropout)
    return found


def initial_values(recipe: Recipe) -> Values:
    """Return the recipe's own values of the settings that are searched."""
    return {
        name: getattr(getattr(recipe, name.split(".")[0]), name.split(".")[1]) for name in build_search_space(recipe)
    }


def apply_values(recipe: Recipe, values: Values) -> Recipe:
    """Return the recipe with these values, numbers rounded to what one would write."""
    settings = recipe.model_dump()
    for name, value in values.items():
        part, setting = name.split(".")
        settings[part][setting] = float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
    return Recipe.of(settings)


def _up_to(highest: float, own: float) -> FloatDistribution:
    return FloatDistribution(0.0, max(highest, own))
