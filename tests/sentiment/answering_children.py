"""Ask a model in processes of each kind: `answering_children.py METHOD FOLDER` prints the answers as JSON.

The parent answers first, with two threads: a fork of it has none of them.
"""

import json
import multiprocessing
import sys
from functools import partial
from typing import Any

import joblib
import spacy
import torch
from torch.utils.data import DataLoader

import sentiment
from sentiment.classifier import Classifier
from sentiment.integrations.sklearn import SentimentEstimator

TEXTS = ["A great film.", "It was not good! The film is awful :(", "okay", "zyzzyva"] * 2


def labels_of(classifier: Classifier, texts: list[str]) -> list[str]:
    return [prediction.label for prediction in classifier.predict(texts)]


def main(method: str, folder: str) -> dict[str, Any]:
    multiprocessing.set_start_method(method)
    classifier = sentiment.load(folder)
    nlp = spacy.blank("en")
    nlp.add_pipe("sentiment_bilstm", config={"model": folder})
    rows = [f"{word} number {n}" for n in range(10) for word in ("lovely", "dull")]
    estimator = SentimentEstimator(embedding_size=8, hidden_size=8, epochs=1).fit(rows, ["good", "bad"] * 10)
    ask = partial(labels_of, classifier)
    found = {
        "threads": torch.get_num_threads(),
        "here": [ask(TEXTS), labels_of(sentiment.load(folder), TEXTS), _labels(nlp.pipe(TEXTS))],
        "estimator here": estimator.predict(TEXTS).tolist(),
    }
    with multiprocessing.Pool(2) as pool:
        found["pool"] = [label for labels in pool.map(ask, [[text] for text in TEXTS]) for label in labels]
        found["estimator"] = pool.apply(estimator.predict, (TEXTS,)).tolist()
    found["spaCy"] = _labels(nlp.pipe(TEXTS, n_process=2, batch_size=2))
    loader = DataLoader(TEXTS, batch_size=2, num_workers=2, collate_fn=ask)  # type: ignore[arg-type]
    found["DataLoader"] = [label for batch in loader for label in batch]
    if method == "spawn":  # joblib starts its processes in a way of its own
        answers = joblib.Parallel(2)(joblib.delayed(ask)([text]) for text in TEXTS)
        found["joblib"] = [label for labels in answers for label in labels]
    return found


def _labels(docs: Any) -> list[str]:
    return [doc._.sentiment["label"] for doc in docs]


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
