import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.http.responses import PAGE_POLICY, SECURITY
from service.settings import ServiceSettings

ORIGIN = "https://shop.example"


@pytest.fixture(scope="module")
def shared(tiny_classifier: Classifier) -> FlaskClient:
    return create_app(ServiceSettings(cors_origins=(ORIGIN, "https://b.example")), tiny_classifier).test_client()


@pytest.mark.parametrize(
    "path",
    [
        "/health/live",
        "/nothing",
        "/v1/predict",
        "/docs",
        "/static/page.js",
        "/static/nothing",
        "/metrics",
        "/openapi.json",
    ],
)
def test_every_response_has_the_security_headers_and_is_not_compressed(client: FlaskClient, path: str) -> None:
    response = client.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert {name: response.headers.get(name) for name in SECURITY} == SECURITY
    assert "Content-Encoding" not in response.headers
    assert not [name for name in response.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118


def test_the_page_has_a_policy_of_its_own_and_no_looser_than_it_needs(client: FlaskClient) -> None:
    response = client.get("/")
    assert {name: response.headers.get(name) for name in SECURITY} == SECURITY | {
        "Content-Security-Policy": PAGE_POLICY
    }
    assert response.headers.getlist("Content-Security-Policy") == [PAGE_POLICY]
    sources = dict(directive.split(" ", 1) for directive in PAGE_POLICY.split("; "))
    assert sources["default-src"] == "'none'"
    assert {sources[name] for name in ("script-src", "style-src", "img-src", "connect-src")} == {"'self'"}


def test_an_origin_that_is_set_may_read(shared: FlaskClient) -> None:
    response = shared.post("/v1/predict", json={"text": "good"}, headers={"Origin": ORIGIN})
    assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "Origin" in response.vary
    preflight = shared.options("/v1/predict", headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert preflight.status_code == 200
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://shop.example.evil", ORIGIN.upper()])
def test_another_origin_may_not(shared: FlaskClient, origin: str) -> None:
    response = shared.get("/v1/models", headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in response.headers
    assert "Origin" in response.vary


def test_options_and_head_say_what_get_would(client: FlaskClient) -> None:
    options = client.options("/v1/predict")
    assert (options.status_code, options.allow) == (200, {"OPTIONS", "POST"})
    head, get = client.head("/health/ready"), client.get("/health/ready")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == get.headers["Content-Length"]
