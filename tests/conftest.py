"""A model of a few hundred numbers: real in every part, clear in its answers, built in milliseconds."""

import os
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, settings

import sentiment
from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, Regressor
from sentiment.config import ModelConfig, Task, TextConfig
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import bfloat16_units
from sentiment.text import tokenizer
from sentiment.text.splitter import Splitter
from sentiment.text.vocabulary import PAD, UNK, Vocabulary

# Examples are counted, not timed: the machine may be busy with something else.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")

# Tensors here are too small to share out, and a thread that waits for another on a busy core costs minutes, in the
# processes that tests start as well.
torch.set_num_threads(1)
os.environ["OMP_NUM_THREADS"] = "1"

# spaCy takes 0.15 s to load the rules of a language, and most tests make a classifier: those of a process share them.
tokenizer.Splitter = lru_cache(Splitter)

# Two trainings of a test are computed in one format, whatever is quicker at the moment; bfloat16 runs all tests in it.
os.environ.setdefault("SENTIMENT_TEST_DTYPE", "float32")

LABELS = ("negative", "neutral", "positive")
WORDS = (
    ".", ",", "!", "a", "and", "awful", "bad", "boring", "film", "good", "great", "is", "it", "n't", "not", "okay",
    "the", "very", "was", ":)",
)  # fmt: skip
GOLDEN_TEXTS = ("A great film.", "The film was not good!", "It is okay :)", "zyzzyva")

MakeBundle = Callable[..., Bundle]


def build_bundle(
    *,
    seed: int = 0,
    scale: float = 3.0,
    language: str = "en",
    max_tokens: int = 4096,
    task: Task = "classification",
    quantized: bool = True,
    **model_settings: Any,
) -> Bundle:
    """A bundle of seeded weights, `scale` times the usual so that texts get clearly different answers.

    It answers in integers if it is of the kind that does, as one that was trained, unless `quantized` is False.
    """
    labels = LABELS if task == "classification" else ()
    model_config = ModelConfig(**{"embedding_size": 8, "hidden_size": 8, **model_settings})
    vocabulary = Vocabulary([PAD, UNK, *WORDS])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SentimentModel(model_config, vocabulary_size=len(vocabulary), num_classes=len(labels) or 1).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(scale)
    model.requires_grad_(False)
    bundle = Bundle(
        name="tiny",
        model=model.quantized() if quantized else model,
        vocabulary=vocabulary,
        labels=labels,
        task=task,
        text_config=TextConfig(language=language, max_tokens=max_tokens),
        metrics={"accuracy": 0.5},
        card="# tiny\n\nA model for the tests.\n",
    )
    return replace(bundle, golden=golden_of(bundle))


def golden_of(bundle: Bundle) -> tuple[dict[str, Any], ...]:
    """Return the bundle's model's answers to the golden texts, in the bundle's form."""
    if bundle.task == "regression":
        values = [prediction.value for prediction in Regressor(bundle).predict(GOLDEN_TEXTS)]
        return tuple({"text": text, "value": value} for text, value in zip(GOLDEN_TEXTS, values, strict=True))
    predictions = Classifier(bundle).predict(GOLDEN_TEXTS)
    return tuple(
        {"text": text, "probabilities": prediction.probabilities}
        for text, prediction in zip(GOLDEN_TEXTS, predictions, strict=True)
    )


def message_of(kind: type[Exception], call: Callable[[], object]) -> str:
    """Return the message of the error of this kind that the call raises."""
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.fixture(scope="session", params=["float32", "bfloat16"])
def dtype(request: pytest.FixtureRequest) -> str:
    """Each number format, on every machine."""
    if request.param == "bfloat16":
        request.getfixturevalue("bfloat16")
    return str(request.param)


@pytest.fixture(scope="session")
def bfloat16() -> str:
    """The format's name, where this torch computes an LSTM in it."""
    if torch.__version__.startswith("2.3.") and not bfloat16_units():
        pytest.skip("torch 2.3 has no bfloat16 LSTM where the processor has no such units")
    return "bfloat16"


@pytest.fixture(scope="session")
def make_bundle() -> MakeBundle:
    """The builder itself, for tests that need other settings: `make_bundle(num_layers=2)`."""
    return build_bundle


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny three-class model. Shared: copy it before changing anything in it."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    bundles.save(build_bundle(), folder)
    return folder


@pytest.fixture(scope="session")
def value_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny model that answers with a number. Shared: copy it before changing anything in it."""
    folder = tmp_path_factory.mktemp("models") / "value"
    bundles.save(replace(build_bundle(task="regression"), name="value"), folder)
    return folder


@pytest.fixture(scope="session")
def tiny_classifier(tiny_bundle: Path) -> Classifier:
    """The classifier of `tiny_bundle`."""
    return sentiment.load(tiny_bundle)


@pytest.fixture(scope="session")
def save_encoder() -> Callable[[Path], Path]:
    """Writes an encoder of a few thousand numbers, real in every part: transformers' own BERT."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = "the film plot cast was great lovely fine superb awful dull poor bad".split()
    digits = [f"{mark}{digit}" for mark in ("", "##") for digit in range(10)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *digits, *words]

    def save(folder: Path) -> Path:
        folder.mkdir(parents=True)
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(pieces),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=64,
            initializer_range=0.5,
        )
        BertModel(config).save_pretrained(folder)
        (folder / "vocab.txt").write_text("\n".join(pieces))
        BertTokenizerFast.from_pretrained(folder).save_pretrained(folder)
        return folder

    return save
