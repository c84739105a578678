"""Texts to predictions: exact whatever the company, and a named refusal where there is no answer."""

import random
from collections import UserList
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import sentiment
from sentiment.batching import length_buckets
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.config import TextConfig
from sentiment.errors import ConfigError, DataError, TextError
from sentiment.text.tokenizer import Tokenizer
from sentiment.text.vocabulary import PAD_ID, UNK_ID, Vocabulary

MakeBundle = Callable[..., Bundle]

SENTENCES = st.lists(
    st.sampled_from(["good", "bad", "not", "film", "great", "awful", ",", ".", "n't", "zyzzyva", "😀", "<pad>", "the"]),
    min_size=1,
    max_size=40,
).map(" ".join)
ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
TOKENIZER = Tokenizer(TextConfig())
TEXTS = (SENTENCES | ANYTHING).filter(lambda text: bool(TOKENIZER.tokenize([text])[0].tokens))


@pytest.fixture(scope="module", params=[1, 2], ids=["1-layer", "2-layers"])
def classifier(request: pytest.FixtureRequest, make_bundle: MakeBundle) -> Classifier:
    return Classifier(make_bundle(num_layers=request.param))


def assert_same(classifier: Classifier, one: Prediction, other: Prediction) -> None:
    is_exact = classifier.model.integer_lstm is not None
    assert one.probabilities == pytest.approx(other.probabilities, abs=0 if is_exact else 1e-5, rel=0)
    for name in ("label", "tokens", "unknown_tokens", "truncated"):
        assert getattr(one, name) == getattr(other, name), name


# Invariance


@given(text=TEXTS, before=st.lists(TEXTS, max_size=5), after=st.lists(TEXTS, max_size=5))
def test_a_text_alone_equals_it_in_any_company(
    classifier: Classifier, text: str, before: list[str], after: list[str]
) -> None:
    [alone] = classifier.predict([text])
    together = classifier.predict([*before, text, *after])
    assert len(together) == len(before) + 1 + len(after)
    assert_same(classifier, together[len(before)], alone)


@given(text=TEXTS, padding=st.integers(1, 400))
def test_a_text_after_any_padding(classifier: Classifier, text: str, padding: int) -> None:
    [alone] = classifier.predict([text])
    padded, _ = classifier.predict([text, "good film " * padding])
    assert_same(classifier, padded, alone)


@given(texts=st.lists(TEXTS, max_size=12), data=st.data())
def test_the_order_of_texts_is_kept(classifier: Classifier, texts: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(texts))))
    straight = classifier.predict(texts)
    for place, prediction in zip(order, classifier.predict([texts[place] for place in order]), strict=True):
        assert_same(classifier, prediction, straight[place])


@pytest.mark.parametrize("bound", [1, 7, 50, 8192])
def test_the_bound_of_a_batch_changes_nothing(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, bound: int
) -> None:
    rng = random.Random(0)
    texts = [" ".join(rng.choices(["good", "bad", "not", "film", "."], k=rng.randint(1, 60))) for _ in range(40)]
    expected = [classifier.predict([text])[0] for text in texts]
    monkeypatch.setattr(classifier, "_buckets", lambda lengths: length_buckets(lengths, bound))
    for one, other in zip(classifier.predict(texts), expected, strict=True):
        assert_same(classifier, one, other)


def test_threads_agree_with_one(tiny_classifier: Classifier) -> None:
    rng = random.Random(1)
    words = [*tiny_classifier.vocabulary.tokens[2:], *(f"novel{number}" for number in range(200))]
    texts = [" ".join(rng.choices(words, k=rng.randint(1, 40))) for _ in range(60)]
    expected = tiny_classifier.predict(texts)
    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(lambda _: tiny_classifier.predict(texts), range(24)):
            for one, other in zip(answers, expected, strict=True):
                assert_same(tiny_classifier, one, other)


# Answers


def test_a_prediction_says_all_it_knows(tiny_classifier: Classifier) -> None:
    [prediction] = tiny_classifier.predict(["A great film, zyzzyva!"])
    assert list(prediction.probabilities) == ["negative", "neutral", "positive"]
    assert prediction.label == max(prediction.probabilities, key=prediction.probabilities.__getitem__)
    assert sum(prediction.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert (prediction.tokens, prediction.unknown_tokens, prediction.truncated) == (6, 1, False)
    with pytest.raises(FrozenInstanceError):
        prediction.label = "other"  # type: ignore[misc]


def test_the_order_of_words_matters(tiny_classifier: Classifier) -> None:
    one, other = tiny_classifier.predict(["not bad , great", "great , bad not"])
    assert gap(one, other) > 0.01


def test_it_shows_what_it_is_and_a_bundle_no_weights(tiny_classifier: Classifier, make_bundle: MakeBundle) -> None:
    shown = repr(tiny_classifier)
    assert shown.startswith(f"<Classifier name='tiny', version='{tiny_classifier.version}', labels=('negative', ")
    assert f"num_parameters={tiny_classifier.num_parameters}" in shown
    assert repr(make_bundle()).startswith("Bundle(name='tiny', labels=('negative', ")
    assert len(repr(make_bundle())) < 400


def test_the_temperature_divides_the_logits(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    [sharp] = Classifier(bundle).predict(["a great film"])
    [flat] = Classifier(replace(bundle, temperature=2.0)).predict(["a great film"])
    logits = torch.tensor(list(sharp.probabilities.values()), dtype=torch.float64).log()
    assert list(flat.probabilities.values()) == pytest.approx(torch.softmax(logits / 2, dim=-1).tolist(), abs=1e-6)


def test_no_texts_no_predictions(tiny_classifier: Classifier) -> None:
    assert tiny_classifier.predict([]) == []


@pytest.mark.parametrize(
    "kind",
    [
        tuple,
        iter,
        lambda texts: (text for text in texts),
        lambda texts: dict.fromkeys(texts).keys(),
        UserList,
        np.array,
    ],
    ids=["tuple", "iterator", "generator", "keys", "sequence", "NumPy's str"],
)
def test_any_collection_of_texts_is_read(tiny_classifier: Classifier, kind: Callable[[list[str]], Any]) -> None:
    texts = ["good", "bad film"]
    assert tiny_classifier.predict(kind(texts)) == tiny_classifier.predict(texts)


def test_warm_changes_nothing(make_bundle: MakeBundle) -> None:
    classifier = Classifier(make_bundle())
    texts = ["A great film, isn't it?", "zyzzyva :)"]
    cold = classifier.predict(texts)
    assert classifier.warm() is classifier
    for one, other in zip(classifier.predict(texts), cold, strict=True):
        assert_same(classifier, one, other)


@pytest.mark.parametrize("special", ["<pad>", "<unk>", "<PAD>", "<url>", "<user>"])
def test_a_special_token_in_a_text_is_text(tiny_classifier: Classifier, special: str) -> None:
    [encoded] = tiny_classifier.encode([f"good {special}"])
    good = tiny_classifier.vocabulary.encode(["good"])
    assert encoded.token_ids == [*good, UNK_ID, UNK_ID, UNK_ID]
    assert PAD_ID not in encoded.token_ids
    plain, marked = tiny_classifier.predict(["good", f"good {special}"])
    assert gap(plain, marked) > 0.001


# Refusals


@pytest.mark.parametrize(
    ("texts", "index", "reason"),
    [
        (["good", "", "bad"], 1, "is empty or blank"),
        ([" \t\r\n\u3000\xa0"], 0, "is empty or blank"),
        *(
            (["good", text], 1, f"must be a str, not {type(text).__name__}")
            for text in (None, 5, b"good", float("nan"), ["good"])
        ),
        (["fine", "so \ud83d sad"], 1, "holds the lone surrogate U+D83D at character 3: it is not valid Unicode"),
        (["\ude00"], 0, "holds the lone surrogate U+DE00 at character 0: it is not valid Unicode"),
    ],
)
def test_what_has_no_answer(tiny_classifier: Classifier, texts: Any, index: int, reason: str) -> None:
    with pytest.raises(TextError) as caught:
        tiny_classifier.predict(texts)
    assert (caught.value.index, caught.value.reason) == (index, reason)
    assert str(caught.value) == f"text {index}: {reason}"


@pytest.mark.parametrize(
    "make",
    [
        pl.Series,
        lambda texts: pl.Series(texts, dtype=pl.Categorical),
        pa.array,
        lambda texts: pa.array(texts).dictionary_encode(),
        lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: pa.table({"text": texts})["text"],
        lambda texts: np.array(texts, dtype=object),
    ],
    ids=["Polars", "Polars, categorical", "Arrow", "Arrow, dictionary", "Arrow, chunks", "Arrow, column", "NumPy"],
)
def test_columns_of_texts_are_read(tiny_classifier: Classifier, make: Callable[[list[Any]], Any]) -> None:
    texts = ["good", "not bad", "awful"]
    assert tiny_classifier.predict(make(texts)) == tiny_classifier.predict(texts)
    assert [text.encoded for text in tiny_classifier.align(make(texts))] == tiny_classifier.encode(make(texts))
    with pytest.raises(TextError, match="text 1: must be a str, not NoneType"):
        tiny_classifier.predict(make(["good", None, "bad"]))


@pytest.mark.parametrize(
    ("texts", "advice"),
    [
        ("good", "wrap a single one in []"),
        (b"good", "[texts.decode()]"),
        (bytearray(b"good"), "[texts.decode()]"),
        ({"text": "awful"}, "not a dict: pass the texts in it"),
        ({"awful", "good"}, "not a set, which has no order"),
        (None, "not NoneType: pass a list"),
        (5, "not int: pass a list"),
        (pl.DataFrame({"id": [1], "text": ["good"]}), "table['text'], of id, text"),
        (pl.DataFrame({"review": ["good"]}), "table['review'], of review"),
        (pl.LazyFrame({"review": ["good"]}), "not LazyFrame: pass a list"),
        (pa.table({"id": [1], "text": ["good"]}), "table['text'], of id, text"),
        (np.array([["good"], ["bad"]]), "not an array of shape (2, 1): pass one of shape (N,)"),
        (np.array("good"), "not an array of shape (): pass one of shape (N,)"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_column_of_texts(tiny_classifier: Classifier, texts: Any, advice: str) -> None:
    for ask in (tiny_classifier.predict, tiny_classifier.explain, tiny_classifier.read_sentences):
        with pytest.raises(DataError) as caught:
            ask(texts)
        assert advice in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_first_fault_is_named_before_anything_is_read(tiny_classifier: Classifier) -> None:
    with pytest.raises(TextError, match="text 1: is empty"):
        tiny_classifier.predict(["x" * 10_000_000, "", "\ud800"])
    assert tiny_classifier.predict(["good"])[0].tokens == 1


# The classics


@pytest.mark.parametrize(
    ("text", "tokens", "unknown"),
    [
        ("It's great, isn't it?", 8, 2),  # 's and ? are not among the twenty words
        ("not bad", 2, 0),
        ("😀", 1, 1),
        ("👨‍👩‍👧‍👦👍🏽🇩🇪❤️", 4, 4),
        ("电影很好看", 1, 1),
        ("good\x00film", 2, 0),
        ("\ufeffgood", 1, 0),
        ("\u0301" * 1000, 1, 1),
        (f"&#{'9' * 10_000};", 160, 160),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_classic(tiny_classifier: Classifier, text: str, tokens: int, unknown: int) -> None:
    [prediction] = tiny_classifier.predict([text])
    assert (prediction.tokens, prediction.unknown_tokens, prediction.truncated) == (tokens, unknown, False)


@pytest.mark.parametrize(
    "text", ["&nbsp;", "<br /><br />", "\u200b\ufeff", "\x00", "&amp;nbsp;<p></p>", "\u200d", "\u3164 \ufe00"]
)
def test_a_text_of_markup_and_invisible_signs_alone_is_empty(tiny_classifier: Classifier, text: str) -> None:
    for read in (tiny_classifier.predict, tiny_classifier.align, tiny_classifier.explain):
        with pytest.raises(TextError, match="text 1: is empty or blank"):
            read(["good", text])
    with pytest.raises(TextError, match="text 0: is empty or blank"):
        tiny_classifier.encode_tokens([[text]])


@pytest.fixture(scope="module")
def pieced(make_bundle: MakeBundle) -> Classifier:
    """A classifier that reads words by their pieces."""
    bundle = make_bundle()
    pieces = ["##^te", "##rri", "##bly", "##^b", "##^bo", "##s", "##ing"]
    vocabulary = Vocabulary([*bundle.vocabulary.tokens[: -len(pieces) - 1], "#", *pieces])
    return Classifier(replace(bundle, vocabulary=vocabulary))


def test_a_word_by_its_pieces_is_one_unknown_token(pieced: Classifier) -> None:
    [prediction] = pieced.predict(["Terribly goood films, #badfilm"])
    assert (prediction.tokens, prediction.unknown_tokens) == (7, 2)  # terribly and films
    texts = ["Terribly good films", "not bad", "zyzzyva, bos", "#badfilm boooring"]
    together = pieced.predict(texts)
    for text, one in zip(texts, together, strict=True):
        assert_same(pieced, one, pieced.predict([text])[0])


def test_each_piece_is_where_it_is_written(pieced: Classifier) -> None:
    [aligned] = pieced.align(["TERRIBLY goood #badfilm &lt;b&gt;bos."])
    written = [aligned.text[start:end] for start, end in aligned.spans]
    assert written == ["TE", "RRI", "BLY", "goood", "#", "bad", "film", "bo", "s", "."]
    assert aligned.tokens == ["te", "##rri", "##bly", "goood", "#", "bad", "film", "bo", "##s", "."]
    assert [pieced.encode([aligned.text])[0]] == [aligned.encoded]
    [explanation] = pieced.explain([aligned.text])
    assert [token.unknown for token in explanation.tokens] == [True] * 3 + [False] * 4 + [True] * 2 + [False]
    seen = pieced.trace(aligned.text)
    assert [token.unknown for token in seen.tokens] == [token.unknown for token in explanation.tokens]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("It isn't a GREAT film!", "It is n't a great film !"),
        ("good caf\u00e9 na\u00efve \u00c5ngstr\u00f6m", "good cafe\u0301 nai\u0308ve A\u030angstro\u0308m"),
    ],
    ids=["Treebank", "NFD"],
)
def test_the_same_words_get_one_answer(tiny_classifier: Classifier, one: str, other: str) -> None:
    assert_same(tiny_classifier, *tiny_classifier.predict([one, other]))


def test_a_review_of_twenty_thousand_words(tiny_classifier: Classifier) -> None:
    words = ["the", "film", "was", "very", "okay"] * 4000
    head, middle, tail = list(words), list(words), list(words)
    head[0] = middle[10_000] = tail[-1] = "awful"
    base, *others = tiny_classifier.predict([" ".join(text) for text in (words, head, middle, tail)])
    assert (base.tokens, base.unknown_tokens, base.truncated) == (4096, 0, True)
    gaps = [gap(base, other) for other in others]
    assert gaps[0] > 1e-3
    assert gaps[1] < 1e-6
    assert gaps[2] > 1e-3


def test_up_to_the_limit_every_word_is_read(make_bundle: MakeBundle) -> None:
    classifier = Classifier(make_bundle(max_tokens=10))
    exact, over = classifier.predict(["good " * 10, "good " * 11])
    assert (exact.tokens, exact.truncated) == (10, False)
    assert (over.tokens, over.truncated) == (10, True)
    base = classifier.predict(["good " * 10])[0]
    for place in range(10):
        words = ["good"] * 10
        words[place] = "awful"
        assert gap(base, classifier.predict([" ".join(words)])[0]) > 1e-6, place


def test_chinese(make_bundle: MakeBundle) -> None:
    classifier = Classifier(make_bundle(language="zh"))
    [prediction] = classifier.predict(["电影很好 :)"])
    assert (prediction.tokens, prediction.unknown_tokens) == (5, 4)


# bfloat16


def sentences_of(classifier: Classifier) -> Iterator[str]:
    rng = random.Random(2)
    for _ in range(300):
        yield " ".join(rng.choices(classifier.vocabulary.tokens[2:], k=rng.randint(1, 200)))


@pytest.mark.usefixtures("bfloat16")
@pytest.mark.parametrize("num_layers", [1, 2])
def test_bfloat16_is_within_its_stated_tolerance(make_bundle: MakeBundle, num_layers: int) -> None:
    full = Classifier(make_bundle(num_layers=num_layers))
    half = Classifier(make_bundle(num_layers=num_layers), dtype="bfloat16")
    texts = list(sentences_of(full))
    gaps = []
    for exact, rough in zip(full.predict(texts), half.predict(texts), strict=True):
        gaps.append(gap(exact, rough))
        first, second = sorted(exact.probabilities.values(), reverse=True)[:2]
        assert exact.label == rough.label or first - second <= 0.1  # each may move by the tolerance
        assert sum(rough.probabilities.values()) == pytest.approx(1, abs=1e-12)
    assert 0 < max(gaps) <= 0.05  # none at all would be float32


def test_dtype_is_by_request(tiny_bundle: Path) -> None:
    assert sentiment.load(tiny_bundle).dtype == "float32"
    half = sentiment.load(tiny_bundle, dtype="bfloat16")
    assert half.dtype == "bfloat16"
    assert {parameter.dtype for parameter in half.model.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("dtype", ["float16", "int8", "", "FLOAT32"])
def test_another_dtype_is_refused(tiny_bundle: Path, dtype: str) -> None:
    with pytest.raises(ConfigError, match=f"^dtype: one of float32, bfloat16, not '{dtype}'$"):
        sentiment.load(tiny_bundle, dtype=dtype)


def test_two_classifiers_of_one_bundle_leave_each_other_alone(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    full = Classifier(bundle)
    before = full.predict(["a great film"])
    Classifier(bundle, dtype="bfloat16")
    assert full.predict(["a great film"]) == before
    assert {parameter.dtype for parameter in bundle.model.parameters()} == {torch.float32}


def test_a_model_in_training_is_still_answered_without_dropout(make_bundle: MakeBundle) -> None:
    bundle = make_bundle()
    expected = Classifier(bundle).predict(["a great film"])
    bundle.model.train()
    classifier = Classifier(bundle)
    assert [classifier.predict(["a great film"]) for _ in range(3)] == [expected] * 3


# The steps one by one


def test_predict_is_encode_then_classify(tiny_classifier: Classifier) -> None:
    texts = ["good film", "A great film, zyzzyva!"]
    encoded = tiny_classifier.encode(texts)
    assert encoded[0] == EncodedText(tiny_classifier.vocabulary.encode(["good", "film"]), False)
    assert tiny_classifier.classify(encoded) == tiny_classifier.predict(texts)


def test_what_a_classifier_tells_of_itself(tiny_classifier: Classifier, tiny_bundle: Path) -> None:
    assert tiny_classifier.name == "tiny"
    assert len(tiny_classifier.version) == 12
    assert tiny_classifier.labels == ("negative", "neutral", "positive")
    assert tiny_classifier.metrics == {"accuracy": 0.5}
    assert tiny_classifier.card.startswith("# tiny")
    assert tiny_classifier.num_parameters == 22 * 8 + 2 * 4 * 8 * (8 + 8 + 2) + 3 * 17
    assert sentiment.load(str(tiny_bundle)).version == tiny_classifier.version


def gap(one: Prediction, other: Prediction) -> float:
    return max(abs(one.probabilities[label] - other.probabilities[label]) for label in one.probabilities)
