from pathlib import Path
from statistics import mean, median

import torch

from benchmarks.workloads import REVIEWS, SENTENCES, bundle_to_measure, generated_texts, random_bundle
from sentiment.classifier import Classifier
from sentiment.config import ModelConfig

BUNDLE = random_bundle(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=20_000)


def test_texts_are_as_many_and_as_long_as_the_real_ones() -> None:
    texts = generated_texts(BUNDLE.vocabulary)
    lengths = {
        name: [len(encoded.token_ids) for encoded in Classifier(BUNDLE).encode(some)] for name, some in texts.items()
    }
    assert len(lengths["sentences"]) == SENTENCES
    assert len(lengths["reviews"]) == REVIEWS
    # SST's and IMDb's, as `sentiment.text` counts them: 20 and 259 on average, half of the reviews under 197.
    assert 18 < mean(lengths["sentences"]) < 22
    assert 235 < mean(lengths["reviews"]) < 285
    assert 180 < median(lengths["reviews"]) < 230


def test_few_tokens_are_unknown_and_some_are() -> None:
    sentences = generated_texts(BUNDLE.vocabulary)["sentences"][:200]
    answers = Classifier(BUNDLE).predict(sentences)
    assert 0.005 < sum(answer.unknown_tokens for answer in answers) / sum(answer.tokens for answer in answers) < 0.06


def test_the_same_seed_makes_the_same_texts_and_weights() -> None:
    assert generated_texts(BUNDLE.vocabulary) == generated_texts(BUNDLE.vocabulary)
    assert generated_texts(BUNDLE.vocabulary) != generated_texts(BUNDLE.vocabulary, seed=1)
    again = random_bundle(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=20_000)
    assert again.vocabulary.tokens == BUNDLE.vocabulary.tokens
    for name, weights in again.model.state_dict().items():
        assert torch.equal(weights, BUNDLE.model.state_dict()[name])


def test_a_model_folder_is_measured_where_there_is_one(tiny_bundle: Path, tmp_path: Path) -> None:
    assert bundle_to_measure(tiny_bundle).name == "tiny"
    assert bundle_to_measure(tmp_path / "none").name == "random"
