"""Serve the same models over the Open Inference Protocol (KServe v2)."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from flask import Blueprint, Response, request

from service.http import body, problems, validation
from service.http.openapi import Form, Operation, Scope
from service.http.problems import INVALID_HEADER, UNKNOWN_MODEL, Problem
from service.http.responses import JSONResponse
from service.inference import postprocessing
from service.inference.lifecycle import Lifecycle
from service.inference.model import Model
from service.inference.registry import Models
from service.routes import tensors
from service.schemas import open_inference as schemas
from service.settings import ServiceSettings

if TYPE_CHECKING:
    from sentiment.classifier import Prediction

HEADER_LENGTH = "Inference-Header-Content-Length"
_DATA = "/inputs/0/data"
_BYTES = Form(
    "application/octet-stream", answer=f"JSON of as many bytes as {HEADER_LENGTH} says, then the tensors' bytes."
)
_Outputs = dict[str, tuple[str, list[int], Sequence[Any], Callable[[Any], bytes]]]  # datatype, shape, data, as bytes


def blueprint(settings: ServiceSettings, models: Models, lifecycle: Lifecycle) -> Blueprint:
    """Return the protocol's routes over these models."""
    api = Blueprint("open_inference", __name__)

    @api.get("/v2")
    @Operation(schemas.ServerMetadata)
    def server_metadata() -> Response:
        """Return the server's name, version and extensions."""
        return JSONResponse(schemas.ServerMetadata())

    @api.get("/v2/health/live")
    @Operation(schemas.ServerLive)
    def server_live() -> Response:
        """Report whether the process is alive."""
        return JSONResponse(schemas.ServerLive())

    @api.get("/v2/health/ready")
    @Operation(schemas.ServerReady, problems=[problems.NOT_READY])
    def server_ready() -> Response:
        """Report whether all models are ready."""
        lifecycle.check_ready()
        return JSONResponse(schemas.ServerReady())

    @api.get("/v2/models/<name>")
    @Operation(schemas.ModelMetadata, scope=Scope.PREDICT)
    def model_metadata(name: str) -> Response:
        """Return the inputs and outputs of a model."""
        card = _model(models, name).card
        label = schemas.TensorMetadata(name="label", datatype="BYTES", shape=[-1])
        probabilities = schemas.TensorMetadata(name="probabilities", datatype="FP64", shape=[-1, len(card.labels)])
        metadata = schemas.ModelMetadata(
            name=name,
            versions=[card.model["version"]],
            inputs=[schemas.TensorMetadata(name="text", datatype="BYTES", shape=[-1])],
            outputs=[label, probabilities],
            labels=card.labels,
        )
        return JSONResponse(metadata)

    @api.get("/v2/models/<name>/ready")
    @Operation(schemas.ModelReady, scope=Scope.PREDICT, problems=[problems.NOT_READY])
    def model_ready(name: str) -> Response:
        """Report whether a model is ready."""
        model = _model(models, name)
        lifecycle.check_ready()
        return JSONResponse(schemas.ModelReady(name=model.name))

    @api.post("/v2/models/<name>/infer")
    @Operation(schemas.InferResponse, request=schemas.InferRequest, form=_BYTES, scope=Scope.PREDICT)
    def infer(name: str) -> Response:
        """Predict the sentiment of texts, as tensors."""
        return _infer(_model(models, name), settings)

    return api


def _model(models: Models, name: str) -> Model:
    """Return the model of this name. Raises Problem if none exists, and for a regression, which has no labels."""
    model = models.get(name)
    if model.card.task == "regression":
        raise Problem(UNKNOWN_MODEL, "No model of labels has this name: ask one of numbers at /v1/models/NAME/predict.")
    return model


def _infer(model: Model, settings: ServiceSettings) -> Response:
    # The real client names no media type at all.
    media_types = ["application/json", "application/octet-stream", ""]
    content = body.read(body.current_request(), media_types, settings.max_body_bytes)
    header_bytes = _header_length(content)
    wanted = body.parse_as(schemas.InferRequest, content[:header_bytes])
    strings, pointers = _read_texts(wanted, content[header_bytes:], settings)
    pointer = pointers.__getitem__
    answer = postprocessing.predict(model, strings, wanted.parameters, settings, pointer, place="/parameters")
    labelled = cast("list[Prediction]", answer.predictions)  # `_model` refuses others
    rows = [list(prediction.probabilities.values()) for prediction in labelled]
    outputs: _Outputs = {
        "label": ("BYTES", [len(rows)], [prediction.label for prediction in labelled], tensors.write_strings),
        "probabilities": (
            "FP64", [len(rows), len(rows[0])], [number for row in rows for number in row], tensors.write_doubles,
        ),
    }  # fmt: skip
    head = {"model_name": model.name, "model_version": answer.model["version"]}
    return _respond(head | ({"id": wanted.id} if wanted.id else {}), wanted, outputs)


def _header_length(content: bytes) -> int:
    given = request.headers.get(HEADER_LENGTH)
    if given is None:
        return len(content)
    if not (given.isascii() and given.isdigit() and len(given) < 20 and int(given) <= len(content)):
        detail = f"{HEADER_LENGTH} must be a number of bytes of the body, which has {len(content)}."
        raise Problem(INVALID_HEADER, detail)
    return int(given)


def _read_texts(wanted: schemas.InferRequest, rest: bytes, settings: ServiceSettings) -> tuple[list[str], list[str]]:
    """Return the texts and the pointer to each. Raises Problem if they don't match the tensor's shape and type."""
    tensor = wanted.inputs[0]
    if tensor.parameters.binary_data_size != len(rest):
        detail = f"is {tensor.parameters.binary_data_size}, and {len(rest)} bytes follow the JSON"
        raise problems.invalid_field("/inputs/0/parameters/binary_data_size", detail)
    if rest and tensor.data:
        raise problems.invalid_field(_DATA, "must be absent where the texts come as bytes")
    found = list(tensors.flatten(tensor.data, _DATA)) or [
        (f"{_DATA}/{index}", text) for index, text in enumerate(tensors.read_strings(rest, _DATA))
    ]
    for pointer, text in found:
        if not isinstance(text, str):
            raise problems.invalid_field(pointer, f"must be a string, not {validation.json_type(text)}")
    postprocessing.check_count(found, settings.max_texts_per_request, _DATA)
    if tensor.shape[0] != len(found) or math.prod(tensor.shape) != len(found):
        raise problems.invalid_field(
            "/inputs/0/shape", f"must be [{len(found)}] or [{len(found)}, 1], as there are so many texts"
        )
    return [str(text) for _, text in found], [pointer for pointer, _ in found]


def _respond(head: dict[str, Any], wanted: schemas.InferRequest, outputs: _Outputs) -> Response:
    """Return the requested outputs, in the requested order and form."""
    default = wanted.parameters.binary_data_output
    forms: dict[str, bool] = {
        output.name: output.parameters.binary_data if output.parameters else default for output in wanted.outputs
    } or dict.fromkeys(outputs, default)
    described: list[dict[str, Any]] = []
    contents: list[bytes] = []
    for name, binary in forms.items():
        datatype, shape, data, write = outputs[name]
        tensor: dict[str, Any] = {"name": name, "datatype": datatype, "shape": shape}
        if binary:
            contents.append(write(data))
            tensor["parameters"] = {"binary_data_size": len(contents[-1])}
        else:
            tensor["data"] = data
        described.append(tensor)
    answer = JSONResponse(head | {"outputs": described})
    if contents:
        answer.headers[HEADER_LENGTH] = str(answer.content_length)
        answer.content_type = "application/octet-stream"
        answer.data = b"".join([answer.data, *contents])
    return answer
