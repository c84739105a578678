"""Define the responses about models, their versions and health."""

from typing import Annotated

from pydantic import Field, with_config
from typing_extensions import TypedDict

from service.schemas.base import StrictModel


@with_config(StrictModel.model_config)
class ModelVersion(TypedDict):
    """Name and version of the model that answered."""

    name: str
    version: Annotated[str, Field(description="Another file in the model's folder, another version.")]


class ModelCard(StrictModel):
    """One model of this service."""

    name: str = Field(description="Its name in a path.")
    model: ModelVersion
    task: str = Field(description="`classification`: it answers with labels. `regression`: with a number.")
    labels: list[str] = Field(description="None of a regression.")
    language: str
    max_tokens: int = Field(description="Of a longer text the middle is left out.")
    card: str = Field(description="What it was made of and what it is not for: Markdown.")


class ModelList(StrictModel):
    """All models of this service."""

    models: list[ModelCard]


class Swap(StrictModel):
    """Versions of one model before and after a reload."""

    name: str = Field(description="Its name in a path.")
    previous: str
    version: str


class Reloaded(StrictModel):
    """The models that this worker serves now; the other workers follow within seconds."""

    models: list[Swap]


class Live(StrictModel):
    """The process answers."""

    status: str = "live"


class Ready(StrictModel):
    """The model is loaded, verified and warm."""

    status: str = "ready"
    model: ModelVersion
