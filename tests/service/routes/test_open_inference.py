"""The Open Inference Protocol, asked by its real client and by hand."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from tritonclient import http as triton
from tritonclient.utils import InferenceServerException

import sentiment
from sentiment.classifier import Classifier
from service.schemas.base import InferenceProblemDetails
from tests.service.conftest import Server

TEXTS = ["A great film.", "not good at all", "\U0001f600 \u8fd9", "bad " * 50]
INFER = "/v2/models/default/infer"


@pytest.fixture
def kserve(server: Server) -> Iterator[Any]:
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}")
    yield client
    client.close()


def tensor(texts: list[str], *, binary: bool, shape: list[int] | None = None) -> Any:
    made = triton.InferInput("text", shape or [len(texts)], "BYTES")
    array = np.array([text.encode() for text in texts], dtype=np.object_).reshape(shape or [len(texts)])
    made.set_data_from_numpy(array, binary_data=binary)
    return made


def body(**changes: Any) -> dict[str, Any]:
    made = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"]} | changes
    return {"inputs": [{name: value for name, value in made.items() if value is not None}]}


def test_the_client_finds_the_server_and_the_model(kserve: Any, tiny_classifier: Classifier) -> None:
    assert kserve.is_server_live()
    assert kserve.is_server_ready()
    assert kserve.is_model_ready("default")
    assert kserve.get_server_metadata() == {
        "name": "sentiment", "version": sentiment.__version__, "extensions": ["binary_tensor_data"]
    }  # fmt: skip
    assert kserve.get_model_metadata("default") == {
        "name": "default",
        "versions": [tiny_classifier.version],
        "platform": "sentiment_bilstm",
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]},
        ],
        "labels": ["negative", "neutral", "positive"],
    }


@pytest.mark.parametrize("binary_in", [False, True], ids=["JSON in", "bytes in"])
@pytest.mark.parametrize("binary_out", [False, True, None], ids=["JSON out", "bytes out", "no outputs named"])
def test_the_clients_answers_are_the_librarys(
    kserve: Any, tiny_classifier: Classifier, binary_in: bool, binary_out: bool | None
) -> None:
    outputs = None
    if binary_out is not None:
        outputs = [triton.InferRequestedOutput(name, binary_out) for name in ("probabilities", "label")]
    result = kserve.infer("default", [tensor(TEXTS, binary=binary_in)], outputs=outputs, request_id="7")
    expected = tiny_classifier.predict(TEXTS)
    labels = [label.decode() if isinstance(label, bytes) else label for label in result.as_numpy("label")]
    assert labels == [prediction.label for prediction in expected]
    probabilities = result.as_numpy("probabilities")
    assert probabilities.dtype == np.float64
    assert probabilities == pytest.approx(
        np.array([list(prediction.probabilities.values()) for prediction in expected]), abs=1e-6
    )
    head = result.get_response()
    assert (head["model_name"], head["model_version"], head["id"]) == ("default", tiny_classifier.version, "7")


def test_a_column_of_texts_and_options(kserve: Any) -> None:
    result = kserve.infer("default", [tensor(["good", "bad"], binary=True, shape=[2, 1])], parameters={"threshold": 1})
    assert list(result.as_numpy("label")) == [b"uncertain", b"uncertain"]


def test_the_client_reads_our_refusals(kserve: Any) -> None:
    with pytest.raises(InferenceServerException, match=r"/inputs/0/data/1 is empty or blank") as error:
        kserve.infer("default", [tensor(["good", " "], binary=True)])
    assert error.value.status() == "422"
    with pytest.raises(InferenceServerException, match="No model of this service has this name"):
        kserve.infer("other", [tensor(["good"], binary=False)])


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ({}, "/inputs is missing."),
        ({"inputs": []}, "/inputs must hold at least 1, not 0."),
        *((body(shape=shape), "/inputs/0/shape must be [1] or [1, 1], as there are so many texts.")
          for shape in ([2], [1, 2], [-1, -1])),
        (body(datatype="FP32"), "/inputs/0/datatype must be 'BYTES'."),
        (body(name="input"), "/inputs/0/name must be 'text'."),
        (body(data=[1]), "/inputs/0/data/0 must be a string, not a number."),
        (body(data=[["good", None]]), "/inputs/0/data/0/1 must be a string, not null."),
        (body(data=None), "/inputs/0/data holds 0 texts; 1 to 1000 are allowed."),
        (body(data="good"), "/inputs/0/data must be an array, not a string."),
        (body(data=["good"] * 1001), "/inputs/0/data holds 1001 texts; 1 to 1000 are allowed."),
        (body(data=["\ud800"]), "/inputs/0/data/0 holds the lone surrogate U+D800 at character 0: it is not valid "
                                "Unicode."),
        (body() | {"id": "\ud800"}, "/id holds a lone surrogate: it is not valid Unicode."),
        (body(name="\ud800"), "/inputs/0/name holds a lone surrogate: it is not valid Unicode."),
        (body(**{"\ud800": 1}), "/inputs/0 holds a lone surrogate: it is not valid Unicode."),
        (body() | {"\ud800": 1}, "The body has a field that is not one of a request; those are id, parameters, inputs, "
                                 "outputs."),
        (body() | {"id": 7}, "/id must be a string, not a number."),
        (body(extra=1), "/inputs/0/extra is not a field here."),
        (body() | {"outputs": [{"name": "logits"}]}, "/outputs/0/name must be 'label' or 'probabilities'."),
        (body(parameters={"binary_data_size": 5}),
         "/inputs/0/parameters/binary_data_size is 5, and 0 bytes follow the JSON."),
    ],
)  # fmt: skip
def test_a_request_of_another_form(client: FlaskClient, content: dict[str, Any], detail: str) -> None:
    response = client.post(INFER, data=json.dumps(content), content_type="application/json")
    assert response.status_code == 422
    assert response.content_type == "application/problem+json"
    problem = InferenceProblemDetails.model_validate(response.get_json())
    assert (problem.detail, problem.error) == (detail, detail)


@pytest.mark.parametrize("length", ["-1", "x", "10000", "9" * 5000, "\u00b2"])
def test_a_header_length_that_is_none(client: FlaskClient, length: str) -> None:
    headers = {"Inference-Header-Content-Length": length}
    response = client.post(INFER, json=body(), headers=headers)
    assert response.status_code == 400
    assert response.get_json()["detail"].startswith("Inference-Header-Content-Length must be a number of bytes")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\x01", " ends within element 0"),
        (b"abc", " ends within element 0"),
        (b"\x01\x00\x00\x00a\x05\x00\x00\x00b", " ends within element 1"),
        (b"\xff\xff\xff\xffa", " ends within element 0"),
        (b"\x01\x00\x00\x00a\x02\x00\x00\x00b\xff", "/1 is not valid UTF-8: see byte 1 of it"),
    ],
)
def test_bytes_that_are_no_tensor(client: FlaskClient, content: bytes, fault: str) -> None:
    head = json.dumps(body(data=None, parameters={"binary_data_size": len(content)})).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    response = client.post(INFER, data=head + content, headers=headers)
    assert response.get_json()["detail"] == f"/inputs/0/data{fault}."
