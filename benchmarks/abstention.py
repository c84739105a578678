"""Test abstention promises made on one half of a set on the other half: `python -m benchmarks.abstention FILE...`.

The files are labelled and unknown to the model. Each is halved at random, so many times: a table is made from one half,
a threshold taken for each promise, and the answers above it counted on the other half.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sentiment.classifier import load
from sentiment.default import DEFAULT_MODEL
from sentiment.evaluation.abstention import abstention_table
from sentiment.evaluation.answers import answer
from sentiment.training.data.reading import read_labelled
from sentiment.training.recipe import Source

PROMISES = (0.02, 0.05, 0.1, 0.15)
HALVINGS = 500
HEADER = "| set | promise | promised in | answered | wrong, mean | wrong, 95th percentile | over the promise |"


def measure(probabilities: np.ndarray, targets: np.ndarray, promise: float, halvings: int) -> list[tuple[float, float]]:
    """Return, of each halving with a promise, the shares answered and wrong on the other half."""
    rng = np.random.default_rng(0)
    confidence = probabilities.max(axis=1)  # (N,)
    wrong = probabilities.argmax(axis=1) != targets  # (N,)
    found = []
    for _ in range(halvings):
        rows = rng.permutation(len(targets))
        one, other = np.array_split(rows, 2)
        threshold = abstention_table(probabilities[one], targets[one]).threshold(promise)
        if threshold is not None:
            answered = confidence[other] >= threshold
            found.append((float(answered.mean()), float(wrong[other][answered].mean())))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.abstention", description=__doc__)
    parser.add_argument("paths", nargs="+", metavar="FILE", help="with the columns text and label")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    options = parser.parse_args(arguments)
    classifier = load(options.model)
    print(HEADER, "| --- | ---: | ---: | ---: | ---: | ---: | ---: |", sep="\n")
    for path in options.paths:
        labelled = read_labelled(Source(path=path))
        answers, targets = answer(classifier, labelled.texts, labelled.labels).over_all(classifier.labels)
        for promise in PROMISES:
            found = measure(answers, targets, promise, HALVINGS)
            cells = [labelled.name, f"{promise:.0%}", f"{len(found) / HALVINGS:.0%} of halvings"]
            if found:
                answered, wrong = np.array(found).T
                broken = f"{(wrong > promise).mean():.1%}"
                cells += [f"{answered.mean():.0%}", f"{wrong.mean():.1%}", f"{np.quantile(wrong, 0.95):.1%}", broken]
            else:
                cells += ["", "", "", ""]
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
