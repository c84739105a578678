"""Every input over the wire to a real gunicorn, with the exact answer expected."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
import requests

from sentiment.classifier import Classifier
from service.schemas.prediction import PredictResponse
from tests.service.conftest import WAIT_SECONDS, Kind, Server, problem
from tests.service.raw_http import HEAD, receive_all

CONTENT_TYPE = "Content-Type must be application/json or application/x-ndjson"
INCOMPLETE = (400, "incomplete-body", "The body can't be read to its end")
INVALID_JSON = (400, "invalid-json", "The body is not a JSON object")
UNKNOWN_MODEL = (404, "unknown-model", "There is no such model")
NOT_FOUND = (404, "not-found", "Nothing is here")
NO_PATH = "No resource of this service has this path."
TOO_LARGE = (413, "body-too-large", "The body is too large")
UNSUPPORTED = (415, "unsupported-media-type", "The body is not of a kind that is read here")
INVALID = (422, "invalid-request", "The request does not have the right form")
FIELDS = "those are text, texts, strict, threshold, abstain, sentences"


def post(server: Server, body: bytes | Iterator[bytes], **headers: str) -> requests.Response:
    headers = {"Content-Type": "application/json", "X-Request-ID": "r1"} | headers
    return server.post("/v1/predict", data=body, headers=headers)


def expect(response: requests.Response, kind: Kind, detail: str, errors: list[dict[str, str]] | None = None) -> None:
    assert response.status_code == kind[0]
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["X-Request-ID"] == "r1"
    assert response.json() == problem(kind, detail, errors)


def answer(classifier: Classifier, texts: list[str]) -> dict[str, Any]:
    return {
        "model": {"name": "tiny", "version": classifier.version},
        "predictions": [asdict(prediction) for prediction in classifier.predict(texts)],
    }


def test_the_answer_is_the_librarys_in_the_order_asked(server: Server, tiny_classifier: Classifier) -> None:
    texts = ["A great film.", "not good at all", "bad " * 50, "okay :)"]
    response = post(server, json.dumps({"texts": texts}).encode())
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["X-Request-ID"] == "r1"
    assert response.json() == answer(tiny_classifier, texts)
    assert list(response.json()["predictions"][0]) == [
        "label", "probabilities", "tokens", "unknown_tokens", "truncated"
    ]  # fmt: skip
    PredictResponse.model_validate_json(response.content)


def test_a_single_text(server: Server, tiny_classifier: Classifier) -> None:
    response = post(server, b'{"text": "A great film."}')
    assert response.json() == answer(tiny_classifier, ["A great film."])


def test_sentence_by_sentence(server: Server, tiny_classifier: Classifier) -> None:
    texts = ["A great film! 😀 It was awful.\r\nIt is okay", "good"]
    response = post(server, json.dumps({"texts": texts, "sentences": True}).encode())
    assert response.status_code == 200
    expected = answer(tiny_classifier, texts)
    for prediction, view in zip(expected["predictions"], tiny_classifier.read_sentences(texts), strict=True):
        prediction["mixed"] = view.mixed
        prediction["sentences"] = [asdict(sentence) for sentence in view.sentences]
    assert response.json() == expected
    PredictResponse.model_validate_json(response.content)
    [first, second] = response.json()["predictions"]
    spans = [texts[0][sentence["start"] : sentence["end"]] for sentence in first["sentences"]]
    assert spans == ["A great film! ", "😀 It was awful.\r\n", "It is okay"]
    assert [(sentence["start"], sentence["end"]) for sentence in second["sentences"]] == [(0, 4)]


def test_sentences_have_the_options_and_the_refusals_of_their_text(server: Server) -> None:
    sure = post(server, json.dumps({"text": "Good. Bad.", "sentences": True, "threshold": 1}).encode())
    [prediction] = sure.json()["predictions"]
    assert {prediction["label"], *(sentence["label"] for sentence in prediction["sentences"])} == {"uncertain"}
    refused = post(server, json.dumps({"texts": ["Good.", " "], "sentences": True}).encode())
    fault = {"pointer": "/texts/1", "detail": "is empty or blank"}
    expect(refused, INVALID, "/texts/1 is empty or blank.", [fault])


@pytest.mark.parametrize(
    "text",
    [
        "good\x00bad",
        "\u202egood\u202c",
        "\U0001f600\U0001f44d\U0001f3fd",
        "e" + "\u0301" * 50_000,
        "\u8fd9\u90e8\u7535\u5f71\u5f88\u597d\u3002",
        "good " * 20_000,
        '"\\/{}[]',
    ],
    ids=["NUL", "bidi", "emoji", "combining marks", "Chinese", "20,000 words", "JSON in JSON"],
)
def test_any_unicode_is_a_text(server: Server, tiny_classifier: Classifier, text: str) -> None:
    for escaped in (True, False):
        body = json.dumps({"texts": ["good", text]}, ensure_ascii=escaped).encode()
        if len(body) <= 262_144:
            assert post(server, body).json() == answer(tiny_classifier, ["good", text])


def test_health(server: Server, tiny_classifier: Classifier) -> None:
    live = server.get("/health/live")
    assert (live.status_code, live.json()) == (200, {"status": "live"})
    ready = server.get("/health/ready")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "model": {"name": "tiny", "version": tiny_classifier.version}}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "The body is empty; a JSON object is expected."),
        (b'{"texts": ["a"', "The JSON is broken at line 1, column 15."),
        (b'["a"]', "The body must be a JSON object, not an array."),
        (b'{"text": "a", "text": "b"}', "The field text stands twice in one object."),
        (b'{"text": NaN}', "NaN is not JSON."),
        (b'{"text": "\xc3\x28"}', "The body is not valid UTF-8: see byte 10."),
        (b'{"text": "\xed\xa0\x80"}', "The body is not valid UTF-8: see byte 10."),
        (b'{"text": ' + b"[" * 100_000, "The JSON is nested too deeply."),
        (b'{"text": ' + b"7" * 10_000 + b"}", "A number has 10000 digits; the limit is 32."),
        (b" ", "The JSON is broken at line 1, column 2."),
        (b'{"text": "a', "The JSON is broken at line 1, column 10."),
        (b'{"text": "a"} x', "The JSON is broken at line 1, column 15."),
        (b'{"text": "a\nb"}', "The JSON is broken at line 1, column 12."),
        (b'\xef\xbb\xbf{"text": "a"}', "The JSON is broken at line 1, column 1."),
        (b'"a"', "The body must be a JSON object, not a string."),
        (b"null", "The body must be a JSON object, not null."),
        (b"true", "The body must be a JSON object, not a boolean."),
        (b"1", "The body must be a JSON object, not a number."),
        (b'{"text": "\xff"}', "The body is not valid UTF-8: see byte 10."),
        ('{"text": "a"}'.encode("utf-16"), "The body is not valid UTF-8: see byte 0."),
        (b'{"text": -Infinity}', "-Infinity is not JSON."),
        (b'{"text": 1e999}', "A number is out of the range of a double."),
        (b'{"x": {"a secret text": 1, "a secret text": 2}}', "The field of some name stands twice in one object."),
        (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, "The JSON is nested too deeply."),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_body_that_is_not_a_json_object(server: Server, body: bytes, detail: str) -> None:
    expect(post(server, body), INVALID_JSON, detail)


@pytest.mark.parametrize(
    ("body", "pointer", "detail"),
    [
        (b"{}", "", "needs exactly one of `text` and `texts`, not neither"),
        (b'{"text": "a", "texts": ["b"]}', "", "needs exactly one of `text` and `texts`, not both"),
        (b'{"texts": []}', "/texts", "holds 0 texts; 1 to 8 are allowed"),
        (b'{"texts": ["a","a","a","a","a","a","a","a","a"]}', "/texts", "holds 9 texts; 1 to 8 are allowed"),
        (b'{"texts": "a"}', "/texts", "must be an array, not a string"),
        (b'{"texts": null}', "/texts", "must be an array, not null"),
        (b'{"texts": ["a", ["b", "c"]]}', "/texts/1", "must be a string, not an array"),
        (b'{"texts": ["a", null]}', "/texts/1", "must be a string, not null"),
        (b'{"texts": [true]}', "/texts/0", "must be a string, not a boolean"),
        (b'{"text": null}', "/text", "must be a string, not null"),
        (b'{"text": 1.5}', "/text", "must be a string, not a number"),
        (b'{"text": {}}', "/text", "must be a string, not an object"),
        (b'{"text": "a", "lang": "en"}', "/lang", f"is not a field of a request; {FIELDS}"),
        (b'{"text": "a", "I feel awful": 1}', "", f"has a field that is not one of a request; {FIELDS}"),
        (b'{"text": "a", "\\ud800": 1}', "", f"has a field that is not one of a request; {FIELDS}"),
        (b'{"text": ""}', "/text", "is empty or blank"),
        (b'{"texts": ["a", " \\n\\t"]}', "/texts/1", "is empty or blank"),
        (b'{"texts": ["' + b"a" * 150_001 + b'"]}', "/texts/0", "has 150001 characters; the limit is 150000"),
        (
            b'{"texts": ["a", "b\\ud800"]}', "/texts/1",
            "holds the lone surrogate U+D800 at character 1: it is not valid Unicode",
        ),
    ],
    ids=[
        "neither", "both", "no texts", "too many texts", "texts is a string", "texts is null", "a pair", "null item",
        "boolean item", "null", "number", "object", "unknown field", "a text as field name",
        "a surrogate as field name", "empty text", "blank text", "too long a text", "lone surrogate",
    ],
)  # fmt: skip
def test_a_request_of_another_form(server: Server, body: bytes, pointer: str, detail: str) -> None:
    words = f"{pointer or 'The body'} {detail}."
    expect(post(server, body), INVALID, words, [{"pointer": pointer, "detail": detail}])


def test_all_faults_of_a_request_are_told_together(server: Server) -> None:
    faults = [
        {"pointer": "/text", "detail": "must be a string, not a number"},
        {"pointer": "/lang", "detail": f"is not a field of a request; {FIELDS}"},
    ]
    response = post(server, b'{"text": 1, "lang": "en"}')
    expect(response, INVALID, "/text must be a string, not a number (and 1 more).", faults)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({"Content-Type": "text/plain"}, f"{CONTENT_TYPE}, not text/plain."),
        ({"Content-Type": ""}, f"{CONTENT_TYPE}, not absent."),
        ({"Content-Type": "application/json; charset=latin-1"}, "The charset must be utf-8, not latin-1."),
        ({"Content-Encoding": "gzip"}, "Content-Encoding must be absent, not gzip."),
    ],
)
def test_a_body_of_another_kind(server: Server, headers: dict[str, str], detail: str) -> None:
    expect(post(server, b'{"text": "a"}', **headers), UNSUPPORTED, detail)


def test_a_body_as_large_as_the_limit(server: Server, tiny_classifier: Classifier) -> None:
    body = b'{"text": "good"}'.ljust(262_144)
    assert post(server, body).json() == answer(tiny_classifier, ["good"])
    assert post(server, iter([body[:100], body[100:]])).json() == answer(tiny_classifier, ["good"])


def test_an_oversized_body_by_length(server: Server) -> None:
    body = b'{"text": "a"}'.ljust(262_145)
    expect(post(server, body), TOO_LARGE, "The body has 262145 bytes; the limit is 262144.")


def test_an_oversized_body_by_length_is_refused_before_it_is_sent(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 10000000000\r\n\r\n")
        assert connection.recv(12) == b"HTTP/1.1 413"


def test_an_oversized_body_by_chunks_is_stopped_mid_stream(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(5):  # 320 KiB, and no last chunk
            connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")
        received = connection.makefile("rb").read(2000)
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b'"detail":"The body has more than 262144 bytes, the limit."' in received


@pytest.mark.parametrize(
    "rest", [b"zz\r\n", b"5\r\nhelloXX", b"-5\r\nhello\r\n"], ids=["bad size", "no terminator", "negative size"]
)
def test_bad_chunks(server: Server, rest: bytes) -> None:
    status, content = send_chunks(server, "chunked", rest)
    assert status.startswith(b"HTTP/1.1 400 ")
    assert content == problem(INCOMPLETE, "The body's chunks are malformed, or the client stopped sending.")


def test_a_body_in_another_transfer_coding(server: Server) -> None:
    status, content = send_chunks(server, "gzip, chunked", b"d\r\n" + b'{"text": "a"}' + b"\r\n0\r\n\r\n")
    assert status == b"HTTP/1.1 415 UNSUPPORTED MEDIA TYPE"
    assert content == problem(UNSUPPORTED, "Transfer-Encoding must be chunked or absent, not gzip, chunked.")


def send_chunks(server: Server, coding: str, chunks: bytes) -> tuple[bytes, object]:
    """The status line and the problem that answer these chunks, after which the connection is closed."""
    with server.connect() as connection:
        connection.sendall(HEAD + f"X-Request-ID: r1\r\nTransfer-Encoding: {coding}\r\n\r\n".encode() + chunks)
        answer, _, content = receive_all(connection).partition(b"\r\n\r\n")
    return answer.partition(b"\r\n")[0], json.loads(content)


def test_a_body_cut_off_by_its_client(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(HEAD + b'Content-Length: 30\r\n\r\n{"text": "a"}')
        connection.shutdown(1)
        received = receive_all(connection)
    assert received.startswith(b"HTTP/1.1 400 ")
    assert b"The body ended after 13 of 30 bytes." in received


@pytest.mark.parametrize("path", ["/v0", "/v1", "/v1/predict/", "/v1//predict", "/v1/predict/x", "/%2e%2e/etc"])
def test_an_unknown_path(server: Server, path: str) -> None:
    response = server.post(path, headers={"X-Request-ID": "r1"})
    expect(response, NOT_FOUND, NO_PATH)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/predict", "OPTIONS, POST"),
        ("POST", "/health/live", "GET, HEAD, OPTIONS"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method(server: Server, method: str, path: str, allowed: str) -> None:
    response = server.request(method, path, headers={"X-Request-ID": "r1"})
    kind = (405, "method-not-allowed", "This method is not for this path")
    expect(response, kind, f"{method} is not one of {allowed}.")
    assert response.headers["Allow"] == allowed


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("..", UNKNOWN_MODEL),
        ("%2e%2e", UNKNOWN_MODEL),
        ("..%5cdefault", UNKNOWN_MODEL),
        ("%00", UNKNOWN_MODEL),
        ("DEFAULT", UNKNOWN_MODEL),
        ("default%00", UNKNOWN_MODEL),
        ("%c3%bc", UNKNOWN_MODEL),
        ("../default", NOT_FOUND),  # two parts of a path are no name
        ("%2e%2e%2fdefault", NOT_FOUND),
    ],
)
@pytest.mark.parametrize("path", ["/v1/models/{}", "/v1/models/{}/predict", "/v2/models/{}/infer"])
def test_a_models_name_is_never_a_path(server: Server, path: str, name: str, kind: Kind) -> None:
    method = "GET" if path.endswith("{}") else "POST"
    head = f"{method} {path.format(name)} HTTP/1.1\r\nHost: x\r\nX-Request-ID: r1\r\nContent-Length: 0\r\n"
    with server.connect() as connection:
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n")
        received = receive_all(connection)
    answered, _, content = received.partition(b"\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 404 ")
    assert b"\r\nContent-Type: application/problem+json\r\n" in answered
    detail = NO_PATH if kind is NOT_FOUND else "No model of this service has this name: see /v1/models."
    assert json.loads(content) == problem(kind, detail) | ({"error": detail} if path.startswith("/v2/") else {})


def test_an_object_of_very_many_fields(server: Server) -> None:
    body = json.dumps({f"f{number}": 1 for number in range(20_000)}).encode()
    expect(post(server, body), INVALID_JSON, "An object has 20000 fields; the limit is 100.")


def test_a_connection_stays_usable_after_a_refusal(server: Server) -> None:
    with requests.Session() as session:
        for body, status in ((b'{"text": ""}', 422), (b"[", 400), (b'{"text": "good"}', 200)) * 2:
            response = session.post(
                f"{server.url}/v1/predict",
                data=body,
                headers={"Content-Type": "application/json"},
                timeout=WAIT_SECONDS,
            )
            assert response.status_code == status
