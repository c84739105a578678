"""Define the requests for explanations and traces, and their responses."""

from typing import Annotated

from pydantic import FailFast, Field

from service.schemas.base import OneText, StrictModel, Text
from service.schemas.models import ModelVersion
from service.schemas.prediction import TextPrediction


class ExplainRequest(StrictModel):
    """The texts to explain."""

    texts: Annotated[list[Text], FailFast(), Field(json_schema_extra={"minItems": 1})] = Field(
        description="Each item one text of its own. The explanations come back in this order.",
        examples=[["Not bad at all."]],
    )


class TracedToken(StrictModel):
    """One token and its position in the text, in code points."""

    text: str = Field(description="As it was written.")
    start: int
    end: int
    unknown: bool = Field(description="Whether the model doesn't know it.")


class TokenPart(TracedToken):
    """One token, and its contribution to the prediction."""

    weight: float = Field(description="In log-odds: above 0 it speaks for the label, below 0 against it.")


class Omitted(StrictModel):
    """A part of a truncated text that was not read, in code points."""

    start: int
    end: int


class TextExplanation(StrictModel):
    """A prediction, and the contribution of each token by integrated gradients."""

    prediction: TextPrediction
    tokens: list[TokenPart]
    omitted: list[Omitted]
    log_odds: float = Field(description="Of the label: log(p / (1 - p)).")
    baseline_log_odds: float = Field(description="The same of as many average words. The weights sum to the change.")
    gap: float = Field(description="By how much the weights' sum misses the change.")
    points: int = Field(description="Where on the way from the one to the other the gradient was taken.")


class ExplainResponse(StrictModel):
    """An explanation for each text, in the order of the request."""

    model: ModelVersion
    explanations: list[TextExplanation]


class TraceRequest(OneText):
    """The text to trace."""


class Series(StrictModel):
    """One quantity of the LSTM at every token."""

    means: list[float] = Field(description="Of the hidden units.")
    norms: list[float] = Field(description="Euclidean, over the hidden units.")


class LayerTrace(StrictModel):
    """The quantities of one direction of one layer, in the order of the text in both directions."""

    layer: int = Field(description="From 0.")
    direction: str = Field(description="`forward` or `backward`.")
    series: dict[str, Series] = Field(
        description="`input_gate`, `forget_gate`, `candidate`, `output_gate`, `c` (the memory) and `h` (what it shows)."
    )


class TensorShape(StrictModel):
    """The shape of one tensor: N texts, T tokens, F features, H hidden units, L layers, C classes."""

    name: str
    letters: list[str]
    sizes: list[int]


class TextTrace(StrictModel):
    """The prediction, states and shapes of one text."""

    prediction: TextPrediction
    tokens: list[TracedToken]
    layers: list[LayerTrace] = Field(description="Layer by layer, forward before backward.")
    running: dict[str, list[float]] = Field(
        description="Of each label, the probability when the text is read up to each token."
    )
    shapes: list[TensorShape] = Field(description="From the token ids to the probabilities.")


class TraceResponse(StrictModel):
    """The trace of the text."""

    model: ModelVersion
    trace: TextTrace
