"""Write the model card."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.recipe import Recipe


def model_card(
    recipe: Recipe,
    labels: Sequence[str],
    train: Sequence[LabelledTexts],
    dev: Mapping[str, Mapping[str, Any]],
    num_parameters: int,
) -> str:
    """Return the card in Markdown: the recipe's words, the rows it learned from, and its figures on dev data."""
    card, text = recipe.card, recipe.text
    is_regression = recipe.task == "regression"
    parts = [
        f"# {recipe.name}\n\n{card.summary.strip()}",
        ("- Answers with a number\n" if is_regression else f"- Labels: {', '.join(labels)}\n")
        + f"- Language: {text.language}\n"
        f"- Parameters: {num_parameters:,}\n"
        f"- Reads up to {text.max_tokens:,} tokens of a text; of a longer one the head and the tail, and says so",
        _section("What it is for", card.intended_use),
        _section("What it is not for", card.not_for),
        _section("Training data", card.data) + "\n\n" + (_values(train) if is_regression else _rows(train, labels)),
        _section("Licences", card.licences),
        "## Figures on dev data\n\n"
        + (
            "These sets chose the epoch, so expect a little less on data of your own.\n\n" + _errors(dev)
            if is_regression
            else "Where a set lacks a label, probabilities are renormalised over those it has. These sets chose the "
            "epoch and the temperature, so expect a little less on data of your own.\n\n" + _figures(dev)
        ),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body.strip()}" if body.strip() else ""


def _rows(train: Sequence[LabelledTexts], labels: Sequence[str]) -> str:
    lines = [f"| file | rows | {' | '.join(labels)} |", f"| --- | ---: |{' ---: |' * len(labels)}"]
    for part in train:
        counts = Counter(part.labels)
        lines.append(f"| {part.name} | {len(part.texts):,} | {' | '.join(f'{counts[label]:,}' for label in labels)} |")
    return "\n".join(lines)


def _values(train: Sequence[LabelledTexts]) -> str:
    lines = ["| file | rows | smallest | mean | largest |", "| --- | ---: | ---: | ---: | ---: |"]
    for part in train:
        numbers = part.values or []
        found = " | ".join(f"{each:.4g}" for each in (min(numbers), fmean(numbers), max(numbers)))
        lines.append(f"| {part.name} | {len(numbers):,} | {found} |")
    return "\n".join(lines)


def _errors(dev: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| set | rows | Pearson r | MAE | RMSE |", "| --- | ---: | ---: | ---: | ---: |"]
    for name, figures in dev.items():
        found = f"{figures['pearson_r']:.3f} | {figures['mae']:.4g} | {figures['rmse']:.4g}"
        lines.append(f"| {name} | {figures['rows']:,} | {found} |")
    return "\n".join(lines)


def _figures(dev: Mapping[str, Mapping[str, Any]]) -> str:
    lines = ["| set | labels | rows | accuracy | macro-F1 | macro-recall | ECE |"]
    lines.append("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for name, figures in dev.items():
        shares = " | ".join(f"{figures[key]:.1%}" for key in ("accuracy", "macro_f1", "macro_recall", "ece"))
        lines.append(f"| {name} | {', '.join(figures['labels'])} | {figures['rows']:,} | {shares} |")
    return "\n".join(lines)
