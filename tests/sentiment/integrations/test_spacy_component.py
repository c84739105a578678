"""The component in spaCy's pipelines, found by its entry point: the library's answers, in spaCy's places."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from sentiment.classifier import Classifier
from sentiment.errors import BundleError

TEXTS = ["A great film.", "It was not good! The film is okay :)", "zyzzyva", "See https://example.org &amp; weep"] * 3


def pipeline(model: Path, *before: str, **settings: Any) -> Language:
    nlp = spacy.blank("en")
    for name in before:
        nlp.add_pipe(name)
    nlp.add_pipe("sentiment_bilstm", config={"model": str(model), **settings})
    return nlp


def test_documents_get_the_librarys_answers(tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    nlp = pipeline(tiny_bundle)
    for doc, expected in zip(nlp.pipe(TEXTS, batch_size=5), tiny_classifier.predict(TEXTS), strict=True):
        assert doc._.sentiment == asdict(expected) | {"probabilities": pytest.approx(expected.probabilities, abs=1e-5)}
        assert doc.cats == doc._.sentiment["probabilities"]
    assert nlp(TEXTS[0])._.sentiment["label"] == tiny_classifier.predict(TEXTS[:1])[0].label


def test_sentences_get_their_own(tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    doc = pipeline(tiny_bundle, "sentencizer")(TEXTS[1])
    first, second = doc.sents
    for sentence in (first, second):
        [expected] = tiny_classifier.predict([sentence.text])
        assert sentence._.sentiment["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
    [whole] = tiny_classifier.predict([doc.text])
    assert doc._.sentiment["probabilities"] == pytest.approx(whole.probabilities, abs=1e-5)
    assert doc[1:3]._.sentiment is None
    [only] = pipeline(tiny_bundle, "sentencizer")("A great film.").sents
    assert only._.sentiment == only.doc._.sentiment


def test_a_document_without_text_has_no_answer(tiny_bundle: Path) -> None:
    docs = list(pipeline(tiny_bundle, "sentencizer").pipe(["", "good", " \n "]))
    assert [doc._.sentiment and doc._.sentiment["tokens"] for doc in docs] == [None, 1, None]
    assert docs[0].cats == {}


def test_the_documents_own_tokens_are_read_where_asked(tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    nlp = pipeline(tiny_bundle, retokenize=False)
    doc = Doc(nlp.vocab, words=["GOOD", "film", "does", "n’t", "\n", "cannot", "https://a.org/b", "@you"])
    answer = nlp(doc)._.sentiment
    tokens = ["good", "film", "does", "n't", "cannot", "<url>", "<user>"]
    assert tiny_classifier.tokenizer.adopt([[token.text for token in doc]])[0].tokens == tokens
    [expected] = tiny_classifier.classify(tiny_classifier.encode_tokens([tokens]))
    assert answer == asdict(expected)
    assert answer["tokens"] == 7
    assert pipeline(tiny_bundle)(Doc(nlp.vocab, words=list(doc.text.split())))._.sentiment["tokens"] != 7


def test_to_disk_and_back(tiny_bundle: Path, tmp_path: Path) -> None:
    nlp = pipeline(tiny_bundle, "sentencizer")
    nlp.to_disk(tmp_path / "pipeline")
    # Where the model was first is no longer asked.
    config = tmp_path / "pipeline" / "config.cfg"
    config.write_text(config.read_text().replace(str(tiny_bundle), "/gone"))
    other = spacy.load(tmp_path / "pipeline")
    assert other.get_pipe("sentiment_bilstm").classifier.version == nlp.get_pipe("sentiment_bilstm").classifier.version
    for one, two in zip(other.pipe(TEXTS), nlp.pipe(TEXTS), strict=True):
        assert one._.sentiment == two._.sentiment
        assert [each._.sentiment for each in one.sents] == [each._.sentiment for each in two.sents]


def test_to_bytes_and_back(tiny_bundle: Path) -> None:
    nlp = pipeline(tiny_bundle)
    other = pipeline(Path("/gone")).from_bytes(nlp.to_bytes())
    assert other(TEXTS[0])._.sentiment == nlp(TEXTS[0])._.sentiment


def test_answers_travel_with_a_document(tiny_bundle: Path) -> None:
    nlp = pipeline(tiny_bundle)
    doc = nlp(TEXTS[0])
    [back] = DocBin(docs=[doc], store_user_data=True).get_docs(nlp.vocab)
    assert back._.sentiment == doc._.sentiment


def test_the_default_model_is_the_one_that_comes_with_it() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("sentiment_bilstm")
    assert nlp("What a lovely film, I love it.")._.sentiment["label"] == "positive"


def test_an_altered_pipeline_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    pipeline(tiny_bundle).to_disk(tmp_path / "pipeline")
    (tmp_path / "pipeline" / "sentiment_bilstm" / "labels.json").write_text('["a", "b", "c"]')
    with pytest.raises(BundleError, match=r"labels\.json"):
        spacy.load(tmp_path / "pipeline")


def test_errors_go_to_the_pipelines_handler(tmp_path: Path) -> None:
    nlp = pipeline(tmp_path / "none")
    with pytest.raises(BundleError, match="there is no such folder"):
        nlp("good")
    seen: list[str] = []
    nlp.set_error_handler(lambda name, component, docs, error: seen.append(f"{name}: {len(docs)} docs"))
    assert [doc.text for doc in nlp.pipe(["good", "bad"])] == ["good", "bad"]
    assert seen == ["sentiment_bilstm: 2 docs"]
