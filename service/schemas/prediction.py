"""Define the requests for predictions and their responses."""

from typing import Annotated

from pydantic import ConfigDict, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from sentiment.abstention import UNCERTAIN
from service.schemas.base import OneText, Options, Sentences, StrictModel, Text
from service.schemas.models import ModelVersion


class Texts(StrictModel):
    """One text as `text`, or several as `texts`."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["text"]}, {"required": ["texts"]}]})

    # Factories rather than None as default: a null is refused, and the schema shows no default.
    text: Text = Field(default_factory=str, description="One text.", examples=["Not bad at all."])
    texts: Annotated[list[Text], FailFast(), Field(json_schema_extra={"minItems": 1})] = Field(
        default_factory=list,
        description=(
            "Several texts, each item one text of its own and answered on its own; "
            "two items are two texts, never a pair. The predictions come back in this order."
        ),
        examples=[["Not bad at all.", "I want my evening back."]],
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if ("text" in self.model_fields_set) == ("texts" in self.model_fields_set):
            given = "both" if "text" in self.model_fields_set else "neither"
            message = "needs exactly one of `text` and `texts`, not {given}"
            raise PydanticCustomError("exactly_one", message, {"given": given})
        return self

    @property
    def all_texts(self) -> list[str]:
        """Return the texts of either field."""
        return [self.text] if "text" in self.model_fields_set else self.texts

    def pointer(self, index: int) -> str:
        """Return the JSON pointer to the text at this index of `all_texts`."""
        return "/text" if "text" in self.model_fields_set else f"/texts/{index}"


class PredictRequest(Options, Texts):
    """One text as `text`, or several as `texts`, and the options of all."""

    sentences: Sentences = False


class LineRequest(Options, OneText):
    """One line of a request in NDJSON: one text, and the options of that text."""

    sentences: Sentences = False


class SentencePrediction(StrictModel):
    """The prediction for one sentence alone. The spans of all sentences, joined, are the text."""

    start: int = Field(description="Where in the text it begins, in code points.")
    end: int = Field(description="Where the next one begins.")
    label: str
    probabilities: dict[str, float]


class TextRead(StrictModel):
    """Counts of the tokens that the model read of one text."""

    tokens: int = Field(description="Tokens the model read.")
    unknown_tokens: int = Field(description="Of these, how many it doesn't know.")
    truncated: bool = Field(description="Whether the text was too long to read in full: its middle was left out.")


class TextPrediction(TextRead):
    """The prediction for one text, and the tokens read of it."""

    label: str = Field(
        description=f"The label of the highest probability; `{UNCERTAIN}` if too low for `threshold` or `abstain`."
    )
    probabilities: dict[str, float] = Field(description="Of each label; they sum to 1.")
    sentences: list[SentencePrediction] = Field(default_factory=list, description="If `sentences` were asked for.")
    mixed: bool = Field(
        default_factory=bool,
        description="If `sentences` were asked for: whether one of them is clearly positive and one clearly negative.",
    )


class TextValue(TextRead):
    """The prediction of a regression model for one text, and the tokens read of it."""

    value: float


class PredictResponse(StrictModel):
    """A prediction for each text, in the order of the request."""

    model: ModelVersion
    predictions: list[TextPrediction] | list[TextValue]
