import random

import torch

from benchmarks.packed import PackedLoop, packed_model
from benchmarks.workloads import random_bundle, sentence_lengths, written_texts
from sentiment.batching import PaddedBatch
from sentiment.classifier import Classifier
from sentiment.config import ModelConfig

BUNDLE = random_bundle(ModelConfig(embedding_size=8, hidden_size=8, num_layers=2), vocabulary_size=300)


def test_the_packed_model_gives_the_same_logits() -> None:
    batch = PaddedBatch.of([[2, 3, 4], [5], [6, 7, 8, 9, 10], [11, 12]])
    packed = packed_model(BUNDLE.model)
    assert packed.lstm is not BUNDLE.model.lstm
    torch.testing.assert_close(packed(batch), BUNDLE.model(batch), atol=1e-5, rtol=0)


def test_the_loop_gives_the_same_labels() -> None:
    rng = random.Random(0)
    texts = [*written_texts(BUNDLE.vocabulary, sentence_lengths(50, rng), rng), "\N{SOFT HYPHEN}x"]
    assert PackedLoop(BUNDLE).predict(texts) == [answer.label for answer in Classifier(BUNDLE).predict(texts)]
