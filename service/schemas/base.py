"""What all schemas are made of, and the options that several kinds of request have."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sentiment.abstention import UNCERTAIN


class StrictModel(BaseModel):
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
