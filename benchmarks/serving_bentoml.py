"""The classifier behind BentoML, {"texts": [...]} to /classify.

`bentoml serve benchmarks.serving_bentoml:Sentiment` in the peers' environment.
"""

import os
from dataclasses import asdict
from typing import Any

import bentoml  # type: ignore[import-not-found]  # in the peers' environment

import sentiment

MAX_BATCH_SIZE = 64


@bentoml.service(workers=1, traffic={"timeout": 60})
class Sentiment:
    """Serve the model with adaptive batching."""

    def __init__(self) -> None:
        self.classifier = sentiment.load(os.environ["SENTIMENT_MODEL"]).warm()

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH_SIZE, max_latency_ms=1000)  # type: ignore[untyped-decorator]
    def classify(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return a prediction a text."""
        return [asdict(prediction) for prediction in self.classifier.predict(texts)]
