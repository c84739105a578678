"""The shapes of requests and responses: what is checked, what is answered and what the API document says."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, FailFast, Field, model_validator
from pydantic_core import PydanticCustomError
from typing_extensions import Self

from sentiment.abstention import UNCERTAIN


class Shape(BaseModel):
    """Base of all: types are never converted, unknown fields are refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


# In the document alone: the library checks it, and says it in its own words. What is blank is what str.isspace() says,
# which the \s of neither Python nor JavaScript does.
_NOT_BLANK = r"[^\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
TEXT_SCHEMA: dict[str, Any] = {"minLength": 1, "pattern": _NOT_BLANK}

Text = Annotated[str, Field(json_schema_extra=TEXT_SCHEMA)]
Strict = Annotated[
    bool, Field(description="Refuse a text that is too long to be read in full, rather than leave its middle out.")
]
Threshold = Annotated[
    float, Field(ge=0, le=1, description=f"A top probability under it makes the label `{UNCERTAIN}`.", examples=[0.6])
]

Sentences = Annotated[bool, Field(description="Answer sentence by sentence, besides.")]


Abstain = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description=f"So many labels become `{UNCERTAIN}` that at most this share of the others is wrong, by the "
        "model's table of errors; refused if that can't back it. 0: all texts are answered.",
    ),
]


class PredictRequest(Shape):
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
    strict: Strict = False
    threshold: Threshold = 0.0
    abstain: Abstain = 0.0
    sentences: Sentences = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if ("text" in self.model_fields_set) == ("texts" in self.model_fields_set):
            given = "both" if "text" in self.model_fields_set else "neither"
            message = "needs exactly one of `text` and `texts`, not {given}"
            raise PydanticCustomError("exactly_one", message, {"given": given})
        return self

    @property
    def all_texts(self) -> list[str]:
        """The texts, whichever way they came."""
        return [self.text] if "text" in self.model_fields_set else self.texts

    def pointer(self, index: int) -> str:
        """The JSON pointer to the text at this place of `all_texts`."""
        return "/text" if "text" in self.model_fields_set else f"/texts/{index}"


class LineRequest(Shape):
    """One line of a request in NDJSON: one text, and the options of that text."""

    text: Text = Field(description="One text.")
    strict: Strict = False
    threshold: Threshold = 0.0
    abstain: Abstain = 0.0
    sentences: Sentences = False


class ModelVersion(Shape):
    """Which model answered."""

    name: str
    version: str = Field(description="Another file in the model's folder, another version.")


class SentencePrediction(Shape):
    """What the model says of one sentence alone. The spans of all, joined, are the text."""

    start: int = Field(description="Where in the text it begins, in code points.")
    end: int = Field(description="Where the next one begins.")
    label: str
    probabilities: dict[str, float]


class TextPrediction(Shape):
    """What the model says of one text, and how much of it it could read."""

    label: str = Field(
        description=f"The label of the highest probability; `{UNCERTAIN}` if too low for `threshold` or `abstain`."
    )
    probabilities: dict[str, float] = Field(description="Of each label; they sum to 1.")
    tokens: int = Field(description="Tokens the model read.")
    unknown_tokens: int = Field(description="Of these, how many it doesn't know.")
    truncated: bool = Field(description="Whether the text was too long to read in full: its middle was left out.")
    sentences: list[SentencePrediction] = Field(default_factory=list, description="If `sentences` were asked for.")
    mixed: bool = Field(
        default_factory=bool,
        description="If `sentences` were asked for: whether one of them is clearly positive and one clearly negative.",
    )


class TextValue(Shape):
    """As TextPrediction, of a model that answers with a number (`task` is `regression`)."""

    value: float
    tokens: int = Field(description="Tokens the model read.")
    unknown_tokens: int = Field(description="Of these, how many it doesn't know.")
    truncated: bool = Field(description="Whether the text was too long to read in full: its middle was left out.")


class PredictResponse(Shape):
    """A prediction a text, in the order of the request."""

    model: ModelVersion
    predictions: list[TextPrediction] | list[TextValue]


class ExplainRequest(Shape):
    """The texts to explain."""

    texts: Annotated[list[Text], FailFast(), Field(json_schema_extra={"minItems": 1})] = Field(
        description="Each item one text of its own. The explanations come back in this order.",
        examples=[["Not bad at all."]],
    )


class TokenPart(Shape):
    """One token, and the part that it has in the answer."""

    text: str = Field(description="As it was written.")
    start: int = Field(description="Where in the text it begins, in code points.")
    end: int
    weight: float = Field(description="In log-odds: above 0 it speaks for the label, below 0 against it.")
    unknown: bool = Field(description="Whether the model doesn't know it.")


class Omitted(Shape):
    """What of a truncated text was not read, in code points."""

    start: int
    end: int


class TextExplanation(Shape):
    """A prediction, and the part that each token has in it, by integrated gradients."""

    prediction: TextPrediction
    tokens: list[TokenPart]
    omitted: list[Omitted]
    log_odds: float = Field(description="Of the label: log(p / (1 - p)).")
    baseline_log_odds: float = Field(description="The same of as many average words. The weights sum to the change.")
    gap: float = Field(description="By how much the weights' sum misses the change.")
    points: int = Field(description="Where on the way from the one to the other the gradient was taken.")


class ExplainResponse(Shape):
    """An explanation a text, in the order of the request."""

    model: ModelVersion
    explanations: list[TextExplanation]


class TraceRequest(Shape):
    """The text to trace."""

    text: Text = Field(description="One text.", examples=["Not bad at all."])


class TracedToken(Shape):
    """One token and where it stands in the text, in code points."""

    text: str = Field(description="As it was written.")
    start: int
    end: int
    unknown: bool = Field(description="Whether the model doesn't know it.")


class Series(Shape):
    """One quantity at every token."""

    means: list[float] = Field(description="Of the hidden units.")
    norms: list[float] = Field(description="Euclidean, over the hidden units.")


class LayerTrace(Shape):
    """What one direction of one layer computed; tokens in the order of the text, also where it reads backwards."""

    layer: int = Field(description="From 0.")
    direction: str = Field(description="`forward` or `backward`.")
    series: dict[str, Series] = Field(
        description="`input_gate`, `forget_gate`, `candidate`, `output_gate`, `c` (the memory) and `h` (what it shows)."
    )


class TensorShape(Shape):
    """The shape of one tensor: N texts, T tokens, F features, H hidden units, L layers, C classes."""

    name: str
    letters: list[str]
    sizes: list[int]


class TextTrace(Shape):
    """One text, seen from inside."""

    prediction: TextPrediction
    tokens: list[TracedToken]
    layers: list[LayerTrace] = Field(description="Layer by layer, forward before backward.")
    running: dict[str, list[float]] = Field(
        description="Of each label, the probability when the text is read up to each token."
    )
    shapes: list[TensorShape] = Field(description="From the token ids to the probabilities.")


class TraceResponse(Shape):
    """The trace of the text."""

    model: ModelVersion
    trace: TextTrace


class ModelCard(Shape):
    """One model of this service."""

    name: str = Field(description="Its name in a path.")
    model: ModelVersion
    task: str = Field(description="`classification`: it answers with labels. `regression`: with a number.")
    labels: list[str] = Field(description="None of a regression.")
    language: str
    max_tokens: int = Field(description="Of a longer text the middle is left out.")
    card: str = Field(description="What it was made of and what it is not for: Markdown.")


class ModelList(Shape):
    """All models of this service."""

    models: list[ModelCard]


class Swap(Shape):
    """One model's version before and after a reload."""

    name: str = Field(description="Its name in a path.")
    previous: str
    version: str


class Reloaded(Shape):
    """What the worker that answers serves from now on; the others follow within seconds."""

    models: list[Swap]


class Live(Shape):
    """The process answers."""

    status: str = "live"


class Ready(Shape):
    """The model is loaded, verified and warm."""

    status: str = "ready"
    model: ModelVersion


class Fault(Shape):
    """One thing wrong with the request."""

    pointer: str = Field(description="JSON pointer (RFC 6901) to it; empty for the whole body.")
    detail: str = Field(description="What is wrong: the limit and the actual value.")


class ProblemDetails(Shape):
    """Every error of the service (RFC 9457), sent as application/problem+json."""

    type: str = Field(description="A name that stays the same between releases.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The request's id, as in X-Request-ID.")
    errors: list[Fault]


class InferenceProblemDetails(ProblemDetails):
    """An error as the clients of the Open Inference Protocol read it, besides."""

    error: str = Field(description="The detail.")
