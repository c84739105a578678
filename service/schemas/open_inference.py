"""Define the schemas of the Open Inference Protocol (KServe v2)."""

from typing import Any, Literal

from pydantic import ConfigDict, Field

import sentiment
from service.schemas.base import TEXT_SCHEMA, Options, StrictModel

_TEXT: dict[str, Any] = {"type": "string", **TEXT_SCHEMA}
_ROW: dict[str, Any] = {"type": "array", "items": _TEXT, "minItems": 1, "maxItems": 1}


class Parameters(StrictModel):
    """Parameters of the protocol; unknown names, which other servers use, are ignored."""

    model_config = ConfigDict(extra="allow")


class InputParameters(Parameters):
    """Parameters of an input."""

    binary_data_size: int = Field(default=0, ge=0, description="Bytes of this input, behind the JSON.")


class OutputParameters(Parameters):
    """Parameters of an output."""

    binary_data: bool = Field(default=False, description="Whether this output comes as bytes, behind the JSON.")


class RequestParameters(Options, Parameters):
    """Parameters of the request."""

    binary_data_output: bool = Field(default=False, description="Whether outputs come as bytes, unless they say.")


class InferInput(StrictModel):
    """The input tensor of texts."""

    name: Literal["text"]
    datatype: Literal["BYTES"]
    shape: list[int] = Field(min_length=1, max_length=2, description="[N] or [N, 1].", examples=[[1]])
    data: list[Any] = Field(
        default_factory=list,
        description="The texts, or a list of one text each; absent if they come as bytes.",
        examples=[["Not bad at all."]],
        json_schema_extra={
            "minItems": 1,
            "items": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "maxItems": 1, "minItems": 1}]},
        },
    )
    parameters: InputParameters = InputParameters()


class InferOutput(StrictModel):
    """A requested output."""

    name: Literal["label", "probabilities"]
    parameters: OutputParameters | None = None


class InferRequest(StrictModel):
    """Texts as one input tensor. Its bytes may follow the JSON, whose length is Inference-Header-Content-Length."""

    id: str = Field(default="", min_length=0)  # the answer repeats it: of a bounded string pydantic refuses surrogates
    parameters: RequestParameters = RequestParameters()
    inputs: list[InferInput] = Field(min_length=1, max_length=1)
    outputs: list[InferOutput] = Field(default_factory=list, max_length=2, description="Those wanted; both if empty.")


class OutputTensor(StrictModel):
    """One output tensor."""

    name: str
    datatype: str
    shape: list[int]
    data: list[str] | list[float] = Field(default_factory=list, description="Row by row; absent if it comes as bytes.")
    parameters: dict[str, int] = Field(default_factory=dict, description="`binary_data_size`, if it comes as bytes.")


class InferResponse(StrictModel):
    """Predictions as tensors: a label for each text, and a probability for each text and label."""

    model_name: str
    model_version: str
    id: str = ""
    outputs: list[OutputTensor]


class ServerMetadata(StrictModel):
    """Name, version and extensions of this server."""

    name: str = "sentiment"
    version: str = sentiment.__version__
    extensions: tuple[str, ...] = ("binary_tensor_data",)


class TensorMetadata(StrictModel):
    """Name, type and shape of a tensor; -1 is any size."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(StrictModel):
    """Inputs, outputs and labels of a model."""

    name: str
    versions: list[str]
    platform: str = "sentiment_bilstm"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    labels: list[str] = Field(description="Of the columns of `probabilities`, in their order.")


class ServerLive(StrictModel):
    """The process answers."""

    live: bool = True


class ServerReady(StrictModel):
    """All models answer."""

    ready: bool = True


class ModelReady(ServerReady):
    """This model answers."""

    name: str
