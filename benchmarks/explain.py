"""Measure quality and cost of explanations: `python -m benchmarks.explain --data DIR`. One run, on this machine."""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.timing import interleaved_medians
from benchmarks.workloads import generated_texts, real_texts
from sentiment.classifier import Classifier, EncodedText, load
from sentiment.default import DEFAULT_MODEL
from sentiment.explain import Explanation

SENTENCES = 500
DELETED = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured, as JSON."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    classifier = load(options.model).warm()
    texts = real_texts(options.data) if options.data else generated_texts(classifier.vocabulary)
    sentences, reviews = dict.fromkeys(texts["sentences"]), texts["reviews"][: options.reviews]
    chosen = random.Random(0).sample(list(sentences), min(SENTENCES, len(sentences)))
    explanations = classifier.explain(chosen)
    figures = {
        "setting": {
            "model": f"{classifier.name} {classifier.version}",
            "texts": str(options.data or "generated"),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "repeats": options.repeats,
        },
        "deletion (the aim: 3 times random)": deletion(classifier, chosen, explanations),
        "completeness, sentences (the aim: 0.01)": completeness(explanations),
        "completeness, reviews (the aim: 0.01)": completeness(classifier.explain(reviews)),
        "explain / predict, sentences (the aim: 40)": explanation_cost(classifier, chosen, options.repeats),
        "explain / predict, reviews (the aim: 40)": explanation_cost(classifier, reviews, options.repeats),
        "sentence view / predict, reviews one by one (the aim: 1.5)": view_cost(
            classifier, reviews, 1, options.repeats
        ),
        "sentence view / predict, reviews by 64 (the aim: 1.5)": view_cost(classifier, reviews, 64, options.repeats),
    }
    print(json.dumps(figures, indent=1))


def deletion(classifier: Classifier, texts: Sequence[str], explanations: Sequence[Explanation]) -> dict[str, float]:
    """Return how far the predicted label's probability falls without the heaviest and without random tokens."""
    rng = random.Random(0)
    heaviest, chance, predictions = [], [], []
    for encoded, explanation in zip(classifier.encode(texts), explanations, strict=True):
        places = range(len(encoded.token_ids))
        if len(places) <= DELETED:
            continue
        by_weight = sorted(places, key=lambda place: explanation.tokens[place].weight, reverse=True)
        heaviest.append(_without(encoded, by_weight[:DELETED]))
        chance.append(_without(encoded, rng.sample(places, DELETED)))
        predictions.append(explanation.prediction)

    def mean_fall(shortened: Sequence[EncodedText]) -> float:
        pairs = zip(predictions, classifier.classify(shortened), strict=True)
        falls = [before.probabilities[before.label] - after.probabilities[before.label] for before, after in pairs]
        return sum(falls) / len(falls)

    heavy, random_fall = mean_fall(heaviest), mean_fall(chance)
    return {"texts": len(predictions), "heaviest": heavy, "random": random_fall, "ratio": heavy / random_fall}


def completeness(explanations: Sequence[Explanation]) -> dict[str, float]:
    """Return the error of the weights' sum: relative to the change that it explains, and in log-odds."""
    changes = [abs(each.log_odds - each.baseline_log_odds) for each in explanations]
    shares = [each.gap / change for each, change in zip(explanations, changes, strict=True)]
    return {
        "mean share": sum(shares) / len(shares),
        "texts within 0.01": sum(share <= 0.01 for share in shares) / len(shares),
        "largest share": max(shares),
        "its gap in log-odds": explanations[shares.index(max(shares))].gap,
        "points on average": sum(each.points for each in explanations) / len(explanations),
    }


def explanation_cost(classifier: Classifier, texts: Sequence[str], repeats: int) -> dict[str, float]:
    """Measure the seconds to predict and to explain all texts."""
    contenders = {"predict": lambda: classifier.predict(texts), "explain": lambda: classifier.explain(texts)}
    seconds = interleaved_medians(contenders, repeats)
    return {**seconds, "ratio": seconds["explain"] / seconds["predict"]}


def view_cost(classifier: Classifier, texts: Sequence[str], rows: int, repeats: int) -> dict[str, float]:
    """Measure the seconds to predict all texts and to view them by sentences, so many at a time."""
    requests = [texts[start : start + rows] for start in range(0, len(texts), rows)]
    contenders = {
        "predict": lambda: [classifier.predict(request) for request in requests],
        "sentence view": lambda: [classifier.read_sentences(request) for request in requests],
    }
    seconds = interleaved_medians(contenders, repeats)
    return {**seconds, "ratio": seconds["sentence view"] / seconds["predict"]}


def _without(encoded: EncodedText, places: Sequence[int]) -> EncodedText:
    gone = set(places)
    ids = [token_id for place, token_id in enumerate(encoded.token_ids) if place not in gone]
    return EncodedText(ids, encoded.truncated)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.explain", description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    parser.add_argument("--data", type=Path, metavar="DIR", help="read sst_dev.parquet and imdb_train.parquet there")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--repeats", type=int, default=3, help="counted rounds of each measurement")
    parser.add_argument("--reviews", type=int, default=64, help="at most so many")
    return parser


if __name__ == "__main__":
    main()
