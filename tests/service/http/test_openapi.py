import json

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from sentiment.classifier import Classifier
from service.app import create_app
from service.http import openapi
from service.settings import ServiceSettings


def test_the_document_is_openapi_31(client: FlaskClient) -> None:
    response = client.get("/openapi.json")
    assert response.content_type == "application/json"
    document = response.get_json()
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()


def test_every_route_is_in_it_and_says_who_may_come_in(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert openapi.of(app, rule.endpoint) is not None, rule
        assert app.view_functions[rule.endpoint].__doc__, rule


def test_an_answer_is_of_the_shape_the_document_gives(client: FlaskClient) -> None:
    document = client.get("/openapi.json").get_json()
    for path, body, status in (
        ("/v1/predict", {"text": "good"}, "200"),
        ("/v1/predict", {"text": "Good. Bad.", "sentences": True}, "200"),
        ("/v1/predict", {"text": ""}, "422"),
        ("/v1/explain", {"texts": ["good"]}, "200"),
        ("/v1/explain", {"texts": [""]}, "422"),
        ("/v1/trace", {"text": "good"}, "200"),
        ("/v2/models/default/infer", {"inputs": []}, "422"),
    ):
        operation = document["paths"]["/v2/models/{name}/infer" if "v2" in path else path]["post"]
        (content,) = [
            content for kind, content in operation["responses"][status]["content"].items() if "ndjson" not in kind
        ]
        validator = Draft202012Validator(content["schema"] | {"components": document["components"]})
        validator.validate(client.post(path, json=body).get_json())


def test_routes_that_ask_the_model_take_a_deadline(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    taking = {
        path: parameter
        for path, methods in paths.items()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
        if parameter["in"] == "header"
    }
    asking = {f"{place}/{verb}" for place in ("/v1", "/v1/models/{name}") for verb in ("predict", "explain", "trace")}
    assert set(taking) == asking | {"/v2/models/{name}/infer"}
    assert taking["/v1/predict"] == {
        "name": "X-Request-Timeout-Seconds",
        "in": "header",
        "description": "Seconds the client will wait, if those are fewer than the service's own.",
        "schema": {"type": "number", "exclusiveMinimum": 0, "examples": [5]},
    }


def test_limits_are_the_settings(tiny_classifier: Classifier) -> None:
    settings = ServiceSettings(max_texts_per_request=7, max_characters_per_text=9, max_texts_per_explanation=3)
    shapes = (
        create_app(settings, tiny_classifier).test_client().get("/openapi.json").get_json()["components"]["schemas"]
    )
    texts = shapes["PredictRequest"]["properties"]["texts"]
    assert (texts["minItems"], texts["maxItems"], texts["items"]["maxLength"]) == (1, 7, 9)
    texts = shapes["ExplainRequest"]["properties"]["texts"]
    assert (texts["minItems"], texts["maxItems"], texts["items"]["maxLength"]) == (1, 3, 9)
    assert shapes["TraceRequest"]["properties"]["text"]["maxLength"] == 9
    assert shapes["LineRequest"]["properties"]["text"]["maxLength"] == 9
    assert shapes["LineRequest"]["properties"]["sentences"]["type"] == "boolean"


@pytest.mark.parametrize("keys", [False, True])
def test_only_closed_routes_ask_for_a_key(app: Flask, keys: bool) -> None:
    with app.app_context():
        paths = openapi.document(app, ServiceSettings(), keys=keys)["paths"]
    closed = {path for path, methods in paths.items() for operation in methods.values() if "security" in operation}
    opened = {"/health/live", "/health/ready", "/v2", "/v2/health/live", "/v2/health/ready", "/openapi.json", "/docs"}
    assert closed & opened == set()
    assert ("/v1/predict" in closed) is keys
    assert ("/metrics" in closed) is keys
    assert "/admin/reload" in closed
    assert json.dumps(paths).count('"401"') == len(closed)


def test_the_page_is_the_document_without_a_script_or_another_host(client: FlaskClient) -> None:
    response = client.get("/docs")
    assert response.content_type == "text/html; charset=utf-8"
    assert "<script" not in response.text
    assert "//" not in response.text.replace("</", "")
    for path in client.get("/openapi.json").get_json()["paths"]:
        assert f"<code>{path}</code>" in response.text
    assert client.get("/static/docs.css").content_type == "text/css; charset=utf-8"
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
