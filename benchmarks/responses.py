"""Check what a server answers to a load, so that figures count only predictions."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeGuard

import requests

from sentiment.classifier import Prediction

ANSWER_SECONDS = 60.0
SHOWN_CHARACTERS = 1000  # of a body, in the message
FIELDS = frozenset(field.name for field in fields(Prediction))


class LoadError(Exception):
    """A load that measures nothing, in one line."""


class UnexpectedResponse(LoadError):
    """A response that is neither predictions nor a refusal where refusals are expected."""

    def __init__(self, server: str, status: int, body: str) -> None:
        self.server = server
        self.status = status
        self.body = body
        super().__init__(f"{server} answered {status}: {' '.join(body.split())[:SHOWN_CHARACTERS]}")


def probe(server: str, url: str, texts: Sequence[str]) -> None:
    """Post `texts` to `url` once. Raises UnexpectedResponse for anything but a prediction of each."""
    check_predictions(server, requests.post(url, json={"texts": list(texts)}, timeout=ANSWER_SECONDS), len(texts))


def is_prediction(found: object) -> TypeGuard[dict[str, Any]]:
    """Return whether this is a prediction with all its fields."""
    return isinstance(found, dict) and found.keys() >= FIELDS


def check_predictions(server: str, response: requests.Response, texts: int) -> list[dict[str, Any]]:
    """Return the predictions of the response: as many as `texts`, with all their fields. Raises UnexpectedResponse."""
    try:
        found = response.json()
    except requests.JSONDecodeError:
        found = None
    # Peers answer with the list alone.
    predictions: Any = found.get("predictions") if isinstance(found, dict) else found
    is_expected = (
        response.status_code == 200
        and isinstance(predictions, list)
        and len(predictions) == texts
        and all(map(is_prediction, predictions))
    )
    if not is_expected:
        raise UnexpectedResponse(server, response.status_code, response.text)
    return predictions
