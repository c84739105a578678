"""Raw text to labels: how fast, beside which peer, and where the time goes."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from unittest.mock import patch

import torch

from benchmarks.packed import PackedLoop
from benchmarks.timing import Row, interleaved_medians
from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, EncodedText
from sentiment.nn import integer_lstm, model
from sentiment.nn.precision import DTYPES
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import UNK_ID

LOOP = "packed loop, float32"
STAGES = ("tokenize", "encode", "pad", "model")
Workloads = Mapping[str, Sequence[str]]


def predictions(make_bundle: Callable[[], Bundle], workloads: Workloads, repeats: int) -> list[Row]:
    """Return a row for each workload and way to its labels: texts and tokens a second."""
    loop = PackedLoop(make_bundle())
    classifiers = {dtype: Classifier(make_bundle(), dtype=dtype).warm() for dtype in DTYPES}
    rows: list[Row] = []
    for workload, texts in workloads.items():
        answers = classifiers["float32"].predict(texts)
        if [answer.label for answer in answers] != loop.predict(texts):
            raise AssertionError(f"{workload}: the two ways disagree, so their times mean nothing")
        tokens = sum(answer.tokens for answer in answers)
        ways: dict[str, Callable[[], object]] = {
            LOOP: partial(loop.predict, texts),
            **{f"predict, {dtype}": partial(classifier.predict, texts) for dtype, classifier in classifiers.items()},
        }
        seconds = interleaved_medians(ways, repeats)
        rows += [
            {
                "workload": workload,
                "way": way,
                "texts_per_second": len(texts) / spent,
                "tokens_per_second": tokens / spent,
                "times_packed": seconds[LOOP] / spent,
            }
            for way, spent in seconds.items()
        ]
    return rows


def stage_shares(make_bundle: Callable[[], Bundle], workloads: Workloads, repeats: int) -> list[Row]:
    """Return a row for each workload: which share of the time of a float32 prediction each stage takes."""
    bundle = make_bundle()
    tokenizer = Tokenizer(bundle.text_config)
    tokenizer.warm(bundle.vocabulary.words)
    rows: list[Row] = []
    for workload, texts in workloads.items():
        runs = [_stage_seconds(bundle, tokenizer, texts) for _ in range(repeats + 1)][1:]
        seconds = {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]}
        total = sum(seconds.values())
        rows.append({"workload": workload, **{stage: spent / total for stage, spent in seconds.items()}})
    return rows


def batch_bounds(
    make_bundle: Callable[[], Bundle], workloads: Workloads, bounds: Sequence[int], repeats: int
) -> list[Row]:
    """Measure tokens a second after encoding, a row a workload, number format and limit on padded tokens."""
    rows: list[Row] = []
    for dtype in DTYPES:
        classifier = Classifier(make_bundle(), dtype=dtype)
        for workload, texts in workloads.items():
            encoded = classifier.encode(texts)
            tokens = sum(len(text.token_ids) for text in encoded)
            seconds = interleaved_medians(
                {str(bound): partial(_classify_within, bound, classifier, encoded) for bound in bounds}, repeats
            )
            rows.append(
                {"workload": workload, "dtype": dtype}
                | {bound: round(tokens / spent) for bound, spent in seconds.items()}
            )
    return rows


def _classify_within(bound: int, classifier: Classifier, encoded: Sequence[EncodedText]) -> None:
    with patch.object(integer_lstm, "MAX_BATCH_TOKENS", bound), patch.object(model, "MAX_BATCH_TOKENS", bound):
        classifier.classify(encoded)


def _stage_seconds(bundle: Bundle, tokenizer: Tokenizer, texts: Sequence[str]) -> dict[str, float]:
    marks = [time.perf_counter()]
    tokenized = tokenizer.tokenize(texts)
    marks.append(time.perf_counter())
    token_ids = [bundle.vocabulary.encode(text.tokens) or [UNK_ID] for text in tokenized]
    marks.append(time.perf_counter())
    buckets = bundle.model.buckets([len(row) for row in token_ids])
    batches = [PaddedBatch.of([token_ids[place] for place in places]) for places in buckets]
    marks.append(time.perf_counter())
    with torch.inference_mode():
        for batch in batches:
            torch.softmax(bundle.model(batch).double(), dim=-1).tolist()  # (N, C)
    marks.append(time.perf_counter())
    return {stage: after - before for stage, (before, after) in zip(STAGES, pairwise(marks), strict=True)}
