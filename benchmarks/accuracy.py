"""Measure each tool's accuracy on dev sets: `build/peers/bin/python -m benchmarks.accuracy --data DIR`.

DIR holds the tables that `make model` reads; `make bench-peers` makes the environment. VADER and TextBlob are word
lists with rules and learn nothing; our model's card says which of the sets chose its epoch.
"""

import argparse
import io
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import numpy as np

from benchmarks import scoring_peers
from recipes.prepare import prepare
from sentiment.classifier import Classifier, load
from sentiment.default import DEFAULT_MODEL
from sentiment.evaluation.answers import answer
from sentiment.training.data.reading import read_labelled
from sentiment.training.recipe import Source

SETS = {
    "SST dev, sentences without neutral": "sst_dev_binary",
    "SST dev, three classes": "sst_dev",
    "counterfactual dev, edited side": "counterfactual_dev_edited",
    "contrast set, edited side": "contrast_dev_edited",
    "tweets (TweetEval validation), three classes": "tweets_dev",
    "IMDb, held out by seed": "imdb_dev",
}
WORD_LISTS = {"VADER": "vader", "TextBlob": "textblob"}
NEUTRAL_BELOW = 0.05  # VADER's authors' own bounds; TextBlob names none

Right = Callable[[Sequence[str], Sequence[str]], float]


def share_right(scores: Sequence[float], labels: Sequence[str]) -> float:
    """Return the share of right answers of a tool that scores texts from -1 to 1.

    Where no text is neutral the sign decides, and a score of 0 is a coin's throw: half right.
    """
    scored = np.asarray(scores)  # (N,)
    side = np.array([{"negative": -1, "neutral": 0, "positive": 1}[label] for label in labels])  # (N,)
    if 0 in side:
        return float((np.where(np.abs(scored) < NEUTRAL_BELOW, 0, np.sign(scored)) == side).mean())
    return float(np.where(scored == 0, 0.5, np.sign(scored) == side).mean())


def by_score(score: scoring_peers.Answer) -> Right:
    """Return a tool that scores texts as one that labels them."""
    return lambda texts, labels: share_right([float(each) for each in score(texts)], labels)


def contenders(classifier: Classifier) -> dict[str, Right]:
    """Return the tools by name; a peer that is not installed is left out."""

    def ours(texts: Sequence[str], labels: Sequence[str]) -> float:
        return float(answer(classifier, texts, labels).correct.mean())

    found: dict[str, Right] = {f"{classifier.name} {classifier.version}": ours}
    for name, peer in WORD_LISTS.items():
        try:
            score = scoring_peers.PEERS[peer](DEFAULT_MODEL, 1)
            score(["good film"])
        except ModuleNotFoundError as error:
            print(f"{name} is left out: there is no {error.name} here (make bench-peers)")
        else:
            found[name] = by_score(score)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table in Markdown, each row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the tables that `make model` reads")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    options = parser.parse_args(arguments)
    asked = contenders(load(options.model))
    print("| dev data | rows |", " | ".join(asked), "|")
    print("| --- | ---: |", " | ".join("---:" for _ in asked), "|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(io.StringIO()):
            prepare(options.data, Path(folder))
        for title, name in SETS.items():
            labelled = read_labelled(Source(path=f"{folder}/{name}.parquet"))
            shares = [f"{right(labelled.texts, labelled.labels):.1%}" for right in asked.values()]
            print(f"| {title} | {len(labelled.texts):,} |", " | ".join(shares), "|", flush=True)


if __name__ == "__main__":
    main()
