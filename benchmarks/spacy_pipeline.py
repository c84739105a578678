"""The component in spaCy's pipeline beside the plain library: `python -m benchmarks.spacy_pipeline`."""

import argparse
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import spacy
import torch

from benchmarks.timing import interleaved_medians
from benchmarks.workloads import generated_texts, real_texts
from sentiment.classifier import load
from sentiment.default import DEFAULT_MODEL

TEXTS = 2_000


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured, as JSON."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    classifier = load(options.model).warm()
    nlps = {}
    for name, retokenize in (("pipeline", True), ("pipeline, its own tokens", False)):
        nlps[name] = spacy.blank(classifier.text_config.language)
        nlps[name].add_pipe("sentiment_bilstm", config={"model": str(options.model), "retokenize": retokenize})
    texts = real_texts(options.data) if options.data else generated_texts(classifier.vocabulary)
    figures: dict[str, object] = {
        "setting": {
            "model": f"{classifier.name} {classifier.version}",
            "texts": str(options.data or "generated"),
            "threads": torch.get_num_threads(),
            "spacy": version("spacy"),
            "repeats": options.repeats,
        }
    }
    for workload, given in texts.items():
        some = given[: options.texts]
        contenders: dict[str, Callable[[], object]] = {"plain": lambda some=some: classifier.predict(some)}  # type: ignore[misc]
        for name, nlp in nlps.items():
            contenders[name] = lambda some=some, nlp=nlp: list(nlp.pipe(some))  # type: ignore[misc]
        seconds = interleaved_medians(contenders, options.repeats)
        figures[f"{workload}: texts a second"] = {name: len(some) / spent for name, spent in seconds.items()}
        figures[f"{workload}: speed of plain (the aim: 0.7)"] = {
            name: seconds["plain"] / seconds[name] for name in nlps
        }
    print(json.dumps(figures, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spacy_pipeline", description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    parser.add_argument("--data", type=Path, metavar="DIR", help="read sst_dev.parquet and imdb_train.parquet there")
    parser.add_argument("--threads", type=int, default=1, help="of torch")
    parser.add_argument("--repeats", type=int, default=3, help="counted rounds of each measurement")
    parser.add_argument("--texts", type=int, default=TEXTS, help="at most so many of each workload")
    return parser


if __name__ == "__main__":
    main()
