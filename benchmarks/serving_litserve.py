"""The classifier behind LitServe, {"texts": [...]} to /predict: `python -m benchmarks.serving_litserve PORT`."""

import os
import sys
from dataclasses import asdict
from typing import Any

import litserve  # type: ignore[import-not-found]  # in the peers' environment

import sentiment

MAX_BATCH_SIZE = 64


class Api(litserve.LitAPI):  # type: ignore[misc]
    """Serve the model with batching, without added delay: its best settings here."""

    def setup(self, device: str) -> None:
        """Load the model."""
        self.classifier = sentiment.load(os.environ["SENTIMENT_MODEL"]).warm()

    def decode_request(self, request: dict[str, list[str]]) -> list[str]:
        """Return the texts of a request."""
        return request["texts"]

    def batch(self, inputs: list[list[str]]) -> list[list[str]]:
        """Return the requests as they are: the classifier pads."""
        return inputs

    def predict(self, batch: list[list[str]]) -> list[list[dict[str, Any]]]:
        """Return a prediction a text, by request."""
        found = iter(self.classifier.predict([text for texts in batch for text in texts]))
        return [[asdict(next(found)) for _ in texts] for texts in batch]

    def unbatch(self, output: list[list[dict[str, Any]]]) -> list[list[dict[str, Any]]]:
        """Return the predictions of each request."""
        return output

    def encode_response(self, output: list[dict[str, Any]]) -> dict[str, Any]:
        """Return the response's JSON."""
        return {"predictions": output}


if __name__ == "__main__":
    server = litserve.LitServer(Api(max_batch_size=MAX_BATCH_SIZE, batch_timeout=0.0), accelerator="cpu")
    server.run(
        host="127.0.0.1", port=int(sys.argv[1]), num_api_servers=1, generate_client_file=False, log_level="error"
    )
