"""An epoch of training beside other trainers: `python -m benchmarks.training --data DIR`.

Each contender is given the same texts, cut into tokens before the clock starts, and passes over them once; they take
turns, and the figures are medians. Tokens are counted by our tokenizer for all. fastText, the ceiling, lives in an
environment of its own: `make bench-peers`, then `--peers`.
"""

import argparse
import copy
import json
import random
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from unittest.mock import patch

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from benchmarks.packed import packed_model
from benchmarks.timing import Row, interleaved_medians
from benchmarks.workloads import bundle_to_measure, generated_texts, real_texts
from sentiment.batching import PaddedBatch, shuffled_buckets
from sentiment.classifier import Classifier
from sentiment.config import TrainingConfig
from sentiment.default import DEFAULT_MODEL
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import DTYPES
from sentiment.text.vocabulary import UNK_ID
from sentiment.training import optimization
from sentiment.training.loop import fit
from sentiment.training.optimization import HAS_FUSED_ADAMW

ROOT = Path(__file__).parents[1]
PEERS = ROOT / "build" / "peers" / "bin"
PACKED = "packed nn.LSTM, float32, shuffled rows"
TEXTBOOK_ROWS = 64  # a batch, as tutorials have it
LIMIT_SECONDS = 600.0

TokenIds = list[list[int]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    bundle = bundle_to_measure(options.model)
    classifier = Classifier(bundle).warm()
    texts = real_texts(options.data) if options.data else generated_texts(classifier.vocabulary)
    rows = [
        row
        for name, most in (("sentences", options.sentences), ("reviews", options.reviews))
        for row in measure(options, bundle.model, classifier, name, texts[name][:most])
    ]
    setting = {
        "model": f"{classifier.name} {classifier.version}",
        "texts": str(options.data or "generated"),
        "threads": torch.get_num_threads(),
        "repeats": options.repeats,
        "torch": torch.__version__,
        "processor_units": torch.backends.cpu.get_cpu_capability(),
    }
    if options.json:
        print(json.dumps({"setting": setting, "training": rows}, indent=1))
        return
    console = Console()
    console.print(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items()), highlight=False)
    table = Table("texts", "trainer", "tokens/s of an epoch", "times packed", title="An epoch of training")
    for row in rows:
        table.add_row(
            str(row["texts"]), str(row["trainer"]), f"{row['tokens_per_second']:,.0f}", f"{row['times_packed']:.2f}"
        )
    console.print(table)


def measure(
    options: argparse.Namespace, trained: SentimentModel, classifier: Classifier, workload: str, texts: Sequence[str]
) -> list[Row]:
    """Return a row for each trainer: the tokens that it learns from in a second."""
    encoded = [row.token_ids or [UNK_ID] for row in classifier.encode(texts)]
    rng = random.Random(0)
    classes = [rng.randrange(len(classifier.labels)) for _ in texts]  # what is learned costs the same
    targets = functional.one_hot(torch.tensor(classes), len(classifier.labels)).float()  # (rows, C)
    model = copy.deepcopy(trained).train().requires_grad_(True)
    trainers: dict[str, Callable[[], object]] = {
        **{f"ours, {dtype}": partial(_ours, model, encoded, targets, dtype) for dtype in DTYPES},
        "packed nn.LSTM, float32, our batches": partial(_packed, model, encoded, targets, bucketed=True),
        PACKED: partial(_packed, model, encoded, targets, bucketed=False),
        "spaCy textcat": _spacy_textcat(texts, [classifier.labels[place] for place in classes], classifier.labels),
    }
    seconds = interleaved_medians(trainers, options.repeats)
    if options.peers:
        lines = [f"__label__{label} {' '.join(map(str, row))}" for row, label in zip(encoded, classes, strict=True)]
        seconds["fastText"] = _fasttext_seconds(options, lines)
    tokens = sum(map(len, encoded))
    return [
        {
            "texts": workload,
            "trainer": name,
            "tokens_per_second": tokens / spent,
            "times_packed": seconds[PACKED] / spent,
        }
        for name, spent in seconds.items()
    ]


def _ours(model: SentimentModel, token_ids: TokenIds, targets: Tensor, dtype: str) -> None:
    config = TrainingConfig.model_validate({"epochs": 1, "max_tokens": max(map(len, token_ids)), "dtype": dtype})
    with patch.object(optimization, "MIN_STEPS", 1):  # full batches, as a table of many more rows has them
        fit(copy.deepcopy(model), token_ids, targets, lambda average: 0.0, config, lambda progress: None)


def _packed(model: SentimentModel, token_ids: TokenIds, targets: Tensor, *, bucketed: bool) -> None:
    """Train for an epoch as tutorials do."""
    packed = packed_model(model)
    config, rng = TrainingConfig(), random.Random(0)
    optimizer = torch.optim.AdamW(packed.parameters(), fused=HAS_FUSED_ADAMW)
    order = rng.sample(range(len(token_ids)), len(token_ids))
    batches = [order[start : start + TEXTBOOK_ROWS] for start in range(0, len(order), TEXTBOOK_ROWS)]
    if bucketed:
        lengths = [len(row) for row in token_ids]
        batches = shuffled_buckets(lengths, config.max_batch_tokens, config.max_batch_rows, rng)
    for rows in batches:
        loss = functional.cross_entropy(packed(PaddedBatch.of([token_ids[row] for row in rows])), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(packed.parameters(), config.clip_norm)
        optimizer.step()


def _spacy_textcat(texts: Sequence[str], true: Sequence[str], labels: Sequence[str]) -> Callable[[], object]:
    """Train spaCy's text categoriser with its default settings, in the batches that `spacy train` ends with."""
    import spacy
    from spacy.training import Example
    from spacy.training.batchers import minibatch_by_words

    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    examples = []
    for text, label in zip(texts, true, strict=True):
        cats = {each: float(each == label) for each in labels}
        examples.append(Example.from_dict(nlp.make_doc(text), {"cats": cats}))
    optimizer = nlp.initialize(lambda: examples)

    def epoch() -> None:
        for batch in minibatch_by_words(examples, size=1000, tolerance=0.2):
            nlp.update(batch, sgd=optimizer, drop=0.1)

    return epoch


def _fasttext_seconds(options: argparse.Namespace, lines: Sequence[str]) -> float:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        command = [str(options.peers / "python"), "-m", "benchmarks.training_peers", file.name, str(options.repeats)]
        command.append(str(options.threads))
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=True, cwd=ROOT)
    return float(done.stdout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training", description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="its network and its words are trained")
    parser.add_argument("--data", type=Path, metavar="DIR", help="read sst_dev.parquet and imdb_train.parquet there")
    parser.add_argument("--sentences", type=int, metavar="N", default=2048, help="at most so many")
    # A packed step over a batch of reviews takes seconds, and more on a processor without AVX-512.
    parser.add_argument("--reviews", type=int, metavar="N", default=64, help="at most so many")
    parser.add_argument("--threads", type=int, default=1, help="of torch and fastText")
    parser.add_argument("--repeats", type=int, default=3, help="counted rounds of each trainer")
    parser.add_argument(
        "--peers", type=Path, nargs="?", const=PEERS, metavar="BIN", help="with fastText, of this environment"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


if __name__ == "__main__":
    main()
