import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from sentiment.classifier import Classifier
from service.app import create_app
from service.errors import Overloaded
from service.http.problems import Problem
from service.inference.batcher import Batcher
from service.routes import ndjson
from service.schemas.base import ProblemDetails
from service.schemas.prediction import PredictResponse
from service.settings import ServiceSettings
from tests.service.conftest import Server, counted
from tests.service.raw_http import NDJSON_HEAD, receive

TEXTS = ["A great film.", "not good at all", "bad " * 50, "okay :)", "good\x00", "\U0001f600"]


def send(client: FlaskClient, content: bytes, path: str = "/v1/predict") -> list[dict[str, Any]]:
    response = client.post(path, data=content, content_type="application/x-ndjson", headers={"X-Request-ID": "r1"})
    assert response.status_code == 200
    assert response.content_type == "application/x-ndjson"
    assert response.headers["X-Request-ID"] == "r1"
    return [json.loads(line) for line in response.data.splitlines()]


def line(text: object, **options: object) -> bytes:
    return json.dumps({"text": text, **options}).encode() + b"\n"


def read(content: bytes, max_line_bytes: int = 1 << 20, declared: int | None = None) -> list[bytes | str]:
    blocks = ndjson.read_lines(io.BytesIO(content), declared, max_line_bytes)
    return [entry.detail if isinstance(entry, Problem) else entry for lines in blocks for entry in lines]


def test_each_line_is_answered_as_if_posted_alone(client: FlaskClient) -> None:
    answers = send(client, b"".join(map(line, TEXTS)))
    alone = [client.post("/v1/predict", json={"text": text}).get_json() for text in TEXTS]
    assert [answer["predictions"][0]["label"] for answer in answers] == [
        answer["predictions"][0]["label"] for answer in alone
    ]
    for answer, single in zip(answers, alone, strict=True):
        PredictResponse.model_validate(answer)
        assert answer["model"] == single["model"]
        expected = single["predictions"][0]["probabilities"]
        assert answer["predictions"][0]["probabilities"] == pytest.approx(expected, abs=1e-6)


def test_a_bad_line_is_answered_by_its_own_problem(client: FlaskClient) -> None:
    bad = [
        b"\n", b"[1]\n", b'{"text": "a"\n', line(None), line(" "), line("a", lang="en"), line("a", threshold=2),
        b'{"text": "\xff"}\n', b'{"text": "\\ud800"}\n', b'{"texts": ["a"]}\n',
    ]  # fmt: skip
    answers = send(client, b"".join(good + wrong for good, wrong in zip([line("good")] * len(bad), bad, strict=True)))
    assert len(answers) == 2 * len(bad)
    assert all("predictions" in answer for answer in answers[::2])
    problems = [ProblemDetails.model_validate(answer) for answer in answers[1::2]]
    assert [(problem.status, problem.detail) for problem in problems] == [
        (400, "The body is empty; a JSON object is expected."),
        (400, "The body must be a JSON object, not an array."),
        (400, "The JSON is broken at line 1, column 13."),
        (422, "/text must be a string, not null."),
        (422, "/text is empty or blank."),
        (422, "/lang is not a field of a request; those are text, strict, threshold, abstain, sentences."),
        (422, "/threshold must be at most 1, not 2."),
        (400, "The body is not valid UTF-8: see byte 10."),
        (422, "/text holds the lone surrogate U+D800 at character 0: it is not valid Unicode."),
        (422, "/text is missing (and 1 more)."),
    ]
    assert {problem.instance for problem in problems} == {"r1"}


def test_each_line_that_is_shed_is_counted(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Overloaded(7, 5)

    monkeypatch.setattr(Batcher, "classify", refuse)
    before = counted("shed_total", reason="overloaded")
    answers = send(client, line("good") + line(" ") + line("bad"))
    assert [answer["type"].rpartition(":")[2] for answer in answers] == ["overloaded", "invalid-request", "overloaded"]
    assert counted("shed_total", reason="overloaded") == before + 2


def test_options_are_of_their_line(client: FlaskClient) -> None:
    first, second = send(client, line("good", threshold=1) + line("good"))
    assert first["predictions"][0]["label"] == "uncertain"
    assert second["predictions"][0]["label"] == "neutral"


def test_a_line_is_answered_sentence_by_sentence(client: FlaskClient) -> None:
    texts = ["Good. Bad.", "A great film!  It was awful.", "good"]
    content = b"".join(line(text, sentences=True) + line(text) + line(" ", sentences=True) for text in texts)
    answers = send(client, content)
    for text, viewed, plain, refused in zip(texts, answers[::3], answers[1::3], answers[2::3], strict=True):
        [alone] = client.post("/v1/predict", json={"text": text, "sentences": True}).get_json()["predictions"]
        [seen] = PredictResponse.model_validate(viewed).predictions
        assert [(one.start, one.end, one.label) for one in seen.sentences] == [
            (one["start"], one["end"], one["label"]) for one in alone["sentences"]
        ]
        for one, expected in zip(seen.sentences, alone["sentences"], strict=True):
            assert one.probabilities == pytest.approx(expected["probabilities"], abs=1e-6)
        assert seen.mixed is alone["mixed"]
        assert "sentences" not in plain["predictions"][0]
        assert (refused["status"], refused["detail"]) == (422, "/text is empty or blank.")


def test_sentences_have_the_options_of_their_line(client: FlaskClient) -> None:
    [answer] = send(client, line("Good. Bad.", sentences=True, threshold=1))
    [prediction] = answer["predictions"]
    assert {prediction["label"], *(sentence["label"] for sentence in prediction["sentences"])} == {"uncertain"}


@pytest.mark.parametrize(("content", "answers"), [(b"", 0), (line("good") + line("bad").rstrip(), 2)])
def test_the_last_line_needs_no_end(client: FlaskClient, content: bytes, answers: int) -> None:
    assert len(send(client, content)) == answers


def test_a_line_past_the_limit_is_dropped_and_the_next_one_read() -> None:
    too_long = "The line has more than 100 bytes, the limit."
    long = b"x" * (3 * ndjson.BLOCK_BYTES)
    assert read(b"a\n" + long + b"\nb\n" + b"y" * 101 + b"\nc", 100) == [b"a", too_long, b"b", too_long, b"c"]
    assert read(b"a\n" + long, 100) == [b"a", too_long]
    assert read(b"z" * 100 + b"\n", 100) == [b"z" * 100]


def test_a_stream_cut_off_ends_with_a_problem() -> None:
    assert read(b"a\nb", declared=10) == [b"a", "The body ended after 3 of 10 bytes."]


@settings(max_examples=300)
@given(st.lists(st.binary(max_size=30)), st.integers(1, 40), st.integers(1, 60))
def test_any_bytes_come_out_line_by_line(lines: list[bytes], max_line_bytes: int, block_bytes: int) -> None:
    content = b"\n".join(lines)

    class Stream(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(block_bytes)

    blocks = ndjson.read_lines(Stream(content), len(content), max_line_bytes)
    found = [entry for block in blocks for entry in block]
    expected = content.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert len(found) == len(expected)
    for entry, wanted in zip(found, expected, strict=True):
        assert isinstance(entry, Problem) if len(wanted) > max_line_bytes else entry == wanted


@settings(max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=40), st.text(max_size=20).map(lambda text: line(text)[:-1]))))
def test_any_line_has_exactly_one_answer(app: Flask, lines: list[bytes]) -> None:
    content = b"".join(entry.replace(b"\n", b" ") + b"\n" for entry in lines)
    answers = send(app.test_client(), content)
    assert len(answers) == len(lines)
    for answer in answers:
        (ProblemDetails if "status" in answer else PredictResponse).model_validate(answer)


def test_memory_is_bounded_however_long_the_stream(tiny_classifier: Classifier) -> None:
    model = create_app(ServiceSettings(), tiny_classifier)
    block = line("good film") * 1000

    class Endless:
        left = 7

        def read(self, size: int, /) -> bytes:
            self.left -= 1
            return block if self.left > 0 else b""

    content_type = "application/x-ndjson"
    with model.test_request_context("/v1/predict", method="POST", content_type=content_type) as context:
        model.preprocess_request()
        context.request.environ["wsgi.input"] = Endless()
        answers = model.dispatch_request()
        tracemalloc.start()
        received = sum(len(piece) for piece in answers.response)  # type: ignore[union-attr]
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert received > 6000 * 150
    assert peak < 600_000


def test_answers_come_while_the_stream_still_goes(server: Server) -> None:
    block = line("good") * 20_000  # more than the body limit, which is that of a line here
    with server.connect() as connection:
        connection.sendall(NDJSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(block), block))
        assert receive(connection, b'"predictions"').startswith(b"HTTP/1.1 200 OK\r\n")
        connection.sendall(b"0\r\n\r\n")


def test_a_long_stream_over_the_wire(server: Server) -> None:
    def stream() -> Iterator[bytes]:
        for number in range(2000):
            yield line("good" if number % 2 else "")

    headers = {"Content-Type": "application/x-ndjson"}
    response = server.post("/v1/models/default/predict", data=stream(), headers=headers)
    answers = [json.loads(answer) for answer in response.iter_lines()]
    assert ["predictions" in answer for answer in answers] == [False, True] * 1000
