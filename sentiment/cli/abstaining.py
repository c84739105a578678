"""The option to leave texts without a label, so that few enough of the other answers are wrong."""

from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.abstention import threshold_for
from sentiment.errors import ConfigError

if TYPE_CHECKING:
    from sentiment.classifier import AnyModel

Abstain = Annotated[
    float | None,
    typer.Option(help="Label texts `uncertain`, so that at most this share of the other answers is wrong: 0.15."),
]


def threshold_of(abstain: float, classifier: "AnyModel") -> float:
    """Return the threshold of `uncertain`. Raises ConfigError if the model can't promise that share."""
    if classifier.task == "regression":
        raise ConfigError(f"--abstain is for models of labels; {classifier.name!r} answers with a number")
    return threshold_for(abstain, classifier.metrics, classifier.name)
