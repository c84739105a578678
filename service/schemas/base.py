"""Define the base of all schemas, the options that requests share, and the body of problems."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sentiment.abstention import UNCERTAIN


class StrictModel(BaseModel):
    """Base of all schemas: types are never converted, unknown fields are refused."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


# In the document alone: the library checks it, and says it in its own words. White space, control characters and
# invisible ones are blank, which the \s of neither Python nor JavaScript knows. Those that need two units of UTF-16 are
# left out: not every reader of the document has patterns for them.
_NOT_BLANK = (
    r"[^\x00- \x7f-\xa0\xad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb]"
)
TEXT_SCHEMA: dict[str, Any] = {"minLength": 1, "pattern": _NOT_BLANK}

Text = Annotated[str, Field(json_schema_extra=TEXT_SCHEMA)]
Sentences = Annotated[bool, Field(description="Answer sentence by sentence, besides.")]


class FieldError(StrictModel):
    """One thing wrong with the request."""

    pointer: str = Field(description="JSON pointer (RFC 6901) to it; empty for the whole body.")
    detail: str = Field(description="What is wrong: the limit and the actual value.")


class ProblemDetails(StrictModel):
    """Every error of the service (RFC 9457), sent as application/problem+json."""

    type: str = Field(description="A name that stays the same between releases.")
    title: str
    status: int
    detail: str
    instance: str = Field(description="The request's id, as in X-Request-ID.")
    errors: list[FieldError]


class InferenceProblemDetails(ProblemDetails):
    """An error with the additional field of the Open Inference Protocol."""

    error: str = Field(description="The detail.")


class OneText(StrictModel):
    """A request of one text."""

    text: Text = Field(description="One text.", examples=["Not bad at all."])


class Options(StrictModel):
    """The options that refuse texts or label them `uncertain`."""

    strict: bool = Field(
        default=False,
        description="Refuse a text that is too long to be read in full, rather than leave its middle out.",
    )
    threshold: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description=f"A top probability under it makes the label `{UNCERTAIN}`.",
        examples=[0.6],
    )
    abstain: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description=f"So many labels become `{UNCERTAIN}` that at most this share of the others is wrong, by the "
        "model's table of errors; refused if that can't back it. 0: all texts are answered.",
    )
