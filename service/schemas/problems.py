"""What is answered where something is wrong."""

from pydantic import Field

from service.schemas.base import StrictModel


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
    """An error as the clients of the Open Inference Protocol read it, besides."""

    error: str = Field(description="The detail.")
