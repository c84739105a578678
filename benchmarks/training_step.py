"""A training step: `pack_padded_sequence` beside PaddedLSTM."""

import copy
import random
from collections.abc import Callable

import torch
from torch.nn import functional

from benchmarks.packed import packed_model
from benchmarks.timing import Row, interleaved_medians
from benchmarks.workloads import random_bundle
from sentiment.batching import PaddedBatch
from sentiment.config import ModelConfig
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import DTYPES
from sentiment.training.optimization import HAS_FUSED_ADAMW

PACKED = "packed, float32"
_VOCABULARY_SIZE = 20_000


def training_steps(config: ModelConfig, n: int, t: int, repeats: int) -> list[Row]:
    """Return a row for each spread of lengths and each way to run the LSTM: the seconds of a step on n texts.

    Training never sees the uniform spread, as its batches are of similar lengths; it is measured for comparison.
    """
    rng = random.Random(0)
    model = random_bundle(config, _VOCABULARY_SIZE).model.train().requires_grad_(True)
    spreads = {
        f"{t * 9 // 10}-{t} (training's buckets)": [rng.randint(t * 9 // 10, t) for _ in range(n)],
        f"1-{t} (uniform)": [rng.randint(1, t) for _ in range(n)],
    }
    rows: list[Row] = []
    for spread, lengths in spreads.items():
        batch = PaddedBatch.of([rng.choices(range(2, _VOCABULARY_SIZE), k=length) for length in lengths])
        ways = {
            PACKED: _step(packed_model(model), batch),
            **{
                f"padded, {dtype}": _step(copy.deepcopy(model), batch, bfloat16=dtype == "bfloat16") for dtype in DTYPES
            },
        }
        seconds = interleaved_medians(ways, repeats)
        rows += [
            {"lengths": spread, "way": way, "seconds": spent, "times_packed": seconds[PACKED] / spent}
            for way, spent in seconds.items()
        ]
    return rows


def _step(model: SentimentModel, batch: PaddedBatch, *, bfloat16: bool = False) -> Callable[[], object]:
    """Take a training step: forward, backward, clip, update."""
    optimizer = torch.optim.AdamW(model.parameters(), fused=HAS_FUSED_ADAMW)
    targets = torch.zeros(len(batch.lengths), dtype=torch.long)  # (N,)

    def run() -> None:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            logits = model(batch)  # (N, C)
        loss = functional.cross_entropy(logits.float(), targets)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return run
