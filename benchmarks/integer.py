"""Integers beside float32, model alone and from raw text: `python -m benchmarks.integer`. Medians, in one run.

Networks of random weights, of each hidden size. In float32 they run through torch's fused LSTM kernel. In integers the
recurrent product is forced each way: of 8-bit integers, and of the same integers in float32.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.timing import Row, interleaved_medians
from benchmarks.workloads import generated_texts, random_bundle
from sentiment.classifier import Classifier
from sentiment.config import ModelConfig
from sentiment.nn.integer_lstm import IntegerLSTM
from sentiment.nn.integers import exact_products, quicker_product
from sentiment.nn.model import SentimentModel

FEATURES = {160: 200, 256: 300, 320: 300}  # of a word's vector, by hidden size
TOKENS_ALONE = (20, 300)
VOCABULARY = 32_000
FLOAT = "float32"
MODEL, RAW = "model alone", "raw text"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    options = _parser().parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    setting = {
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "kernels": torch.backends.cpu.get_cpu_capability(),
        "repeats": options.repeats,
        **{f"chosen_{size}": quicker_product(size) for size in options.hidden},
    }
    rows = [
        row for size in options.hidden for row in integers(size, options.texts, options.repeats, options.vocabulary)
    ]
    if options.json:
        print(json.dumps({"setting": setting, "integers": rows}, indent=1))
        return
    console = Console()
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items()), highlight=False)
    table = Table(title="Milliseconds, and how many times as fast as float32", title_justify="left")
    for column, value in rows[0].items():
        table.add_column(column.replace("_", " "), justify="left" if isinstance(value, str) else "right")
    for row in rows:
        table.add_row(*(f"{value:,.2f}" if isinstance(value, float) else str(value) for value in row.values()))
    console.print(table)


def integers(hidden_size: int, texts: int | None, repeats: int, vocabulary_size: int) -> list[Row]:
    """Return a row for each workload, of the milliseconds it takes in each way and of the times that integers gain."""
    config = ModelConfig(embedding_size=FEATURES.get(hidden_size, 300), hidden_size=hidden_size)
    bundle = random_bundle(config, vocabulary_size)
    classifiers = {FLOAT: Classifier(bundle)}
    for product in exact_products(hidden_size):
        classifiers[f"integers, {product}"] = Classifier(replace(bundle, model=forced(bundle.model, product)))
    for classifier in classifiers.values():
        classifier.warm()
    workloads = {name: some[:texts] for name, some in generated_texts(bundle.vocabulary).items()}
    words = bundle.vocabulary.tokens[2:]
    workloads |= {f"{count} tokens alone": [" ".join(words[:count])] for count in TOKENS_ALONE}
    rows: list[Row] = []
    for workload, some in workloads.items():
        encoded = classifiers[FLOAT].encode(some)
        for part in (MODEL, RAW):
            ways: dict[str, Callable[[], object]] = {
                name: partial(each.classify, encoded) if part == MODEL else partial(each.predict, some)
                for name, each in classifiers.items()
            }
            seconds = interleaved_medians(ways, repeats)
            rows.append(
                {"hidden": str(hidden_size), "workload": workload, "part": part}
                | {f"{name}, ms": 1000 * spent for name, spent in seconds.items()}
                | {f"{name}, times": seconds[FLOAT] / spent for name, spent in seconds.items() if name != FLOAT}
            )
    return rows


def forced(model: SentimentModel, product: str) -> SentimentModel:
    """Return the model in integers, their products computed in this way."""
    model = model.quantized()
    assert model.integer_lstm is not None
    model.integer_lstm = IntegerLSTM(model.integer_lstm.weights, model.lstm, product)
    return model


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.integer", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--repeats", type=int, default=7, help="counted rounds of each measurement")
    parser.add_argument("--threads", type=int, help="of torch; else torch's own choice")
    parser.add_argument("--hidden", type=int, nargs="+", default=list(FEATURES), help="hidden sizes")
    parser.add_argument("--texts", type=int, help="at most so many of each workload")
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY, help="words of the networks")
    return parser


if __name__ == "__main__":
    main()
