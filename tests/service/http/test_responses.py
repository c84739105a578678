from dataclasses import dataclass

from flask import Flask, Response

from service.http.responses import JSONResponse


@dataclass(frozen=True, slots=True)
class Found:
    label: str
    share: float


def test_it_says_what_a_response_of_flask_does() -> None:
    ours = JSONResponse({"found": [Found("fine", 0.5)], "model": None})
    flasks = Response(b'{"found":[{"label":"fine","share":0.5}],"model":null}', content_type="application/json")
    told = []
    with Flask(__name__).test_request_context() as context:
        for response in (ours, flasks):
            body, status, headers = response.get_wsgi_response(context.request.environ)
            told.append((b"".join(body), status, sorted(headers)))
    assert told[0] == told[1]
    assert told[0][1:] == ("200 OK", [("Content-Length", "53"), ("Content-Type", "application/json")])
