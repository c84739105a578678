"""All figures of a model on what people write: `python -m benchmarks.general --data DIR [--model DIR]`.

DIR holds the tables that `make tables` reads. Of each dev set: accuracy, macro-recall and expected calibration error.
Of short everyday texts: the share with an allowed label. Hard cases and the behaviour suite; what one misspelt word
in each of 500 texts costs; and how much of an opinion made-up words seem to hold.
"""

import argparse
import io
import json
import random
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from pathlib import Path

import polars as pl

from recipes.prepare import prepare
from sentiment.classifier import Prediction, load
from sentiment.default import DEFAULT_MODEL
from sentiment.evaluation.answers import answer
from sentiment.evaluation.behaviour.check import check
from sentiment.evaluation.behaviour.suite import read_suite
from sentiment.evaluation.metrics import evaluate
from sentiment.training.data.reading import read_labelled
from sentiment.training.recipe import Source

SETS = (
    "tweets_dev", "forum_dev", "products_dev", "sst_dev_binary", "sst_dev", "imdb_dev", "counterfactual_dev_edited",
    "contrast_dev_edited",
)  # fmt: skip
MEAN_OF = ("tweets_dev", "forum_dev", "products_dev", "sst_dev_binary", "imdb_dev", "everyday_dev")
MISSPELT_OF = ("tweets_dev", "forum_dev", "products_dev", "sst_dev_binary", "imdb_dev")
MISSPELT = 100  # texts of each
MADE_UP = 100  # texts
CONSONANTS, VOWELS = "bcdfghjklmnprstvwyz", "aeiou"
HARD_CASES = Path(__file__).parents[1] / "tests" / "data" / "hard_cases.jsonl"

Predict = Callable[[Sequence[str]], Sequence[Prediction]]


def misspelt(text: str, rng: random.Random) -> str:
    """Return the text with one of its words of four letters or more misspelt, if it has any."""
    words = text.split(" ")
    long = [place for place, word in enumerate(words) if word.isalpha() and len(word) >= 4]
    if not long:
        return text
    place = rng.choice(long)
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    words[place] = rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + word[at] + word[at:],
            word[:at] + rng.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :],
        )
    )
    return " ".join(words)


def made_up(rng: random.Random) -> str:
    """Return a pronounceable made-up word, made in another way than the recipe's."""
    syllables = (rng.choice(CONSONANTS) + rng.choice(VOWELS) for _ in range(rng.randint(2, 4)))
    return "".join(syllables) + rng.choice(("", *CONSONANTS))


def share_allowed(predict: Predict, table: Path) -> float:
    """Return the share of the texts whose label is one of those that a person would allow."""
    rows = pl.read_csv(table, separator="\t", quote_char=None)
    predictions = predict(rows["text"].to_list())
    return sum(
        prediction.label in allowed.split("|")
        for prediction, allowed in zip(predictions, rows["allowed"].to_list(), strict=True)
    ) / len(predictions)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a line a figure, as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the tables that `make tables` reads")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    options = parser.parse_args(arguments)
    classifier = load(options.model)
    print(f"{classifier.name} {classifier.version}: {classifier.num_parameters:,} parameters")
    accuracies: dict[str, float] = {}
    rng = random.Random(7)
    clean, noisy, labels = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(io.StringIO()):
            prepare(options.data, Path(folder))
        for name in SETS:
            labelled = read_labelled(Source(path=f"{folder}/{name}.parquet"))
            found = evaluate(answer(classifier, labelled.texts, labelled.labels))
            accuracies[name] = found["accuracy"]
            print(
                f"{name}: accuracy {found['accuracy']:.2%}, macro-recall {found['macro_recall']:.2%}, "
                f"ECE {found['ece']:.2%} of {len(labelled.texts):,} texts",
                flush=True,
            )
            if name in MISSPELT_OF:
                for row in rng.sample(range(len(labelled.texts)), min(MISSPELT, len(labelled.texts))):
                    clean.append(labelled.texts[row])
                    noisy.append(misspelt(labelled.texts[row], rng))
                    labels.append(labelled.labels[row])
    accuracies["everyday_dev"] = share_allowed(classifier.predict, options.data / "everyday_dev.tsv")
    print(f"everyday_dev: {accuracies['everyday_dev']:.2%} with an allowed label")
    print(f"mean of six: {sum(accuracies[name] for name in MEAN_OF) / len(MEAN_OF):.2%}")
    cases = [json.loads(line) for line in HARD_CASES.read_text().splitlines()]
    right = answer(classifier, [case["text"] for case in cases], [case["label"] for case in cases]).correct
    print(f"hard cases: {right.mean():.2%} of {len(cases)}")
    results = check(classifier, read_suite(["default"])).results
    print(f"behaviour suite: {sum(result.passed for result in results)} of {len(results)} tests hold")
    before, after = (answer(classifier, texts, labels).correct.mean() for texts in (clean, noisy))
    print(f"one word misspelt: accuracy {before:.2%} -> {after:.2%} of {len(labels)} texts")
    rng = random.Random(8)
    texts = [" ".join(made_up(rng) for _ in range(rng.randint(1, 20))) for _ in range(MADE_UP)]
    answers = [prediction.probabilities for prediction in classifier.predict(texts)]
    neutral = sum(each["neutral"] for each in answers) / len(answers)
    opinion = max(max(each["negative"], each["positive"]) for each in answers)
    print(f"made-up words: neutral {neutral:.3f} on average, an opinion {opinion:.3f} at most")


if __name__ == "__main__":
    main()
