"""A component of spaCy's pipelines: `nlp.add_pipe("sentiment_bilstm")` fills `doc.cats` and `doc._.sentiment`.

spaCy imports this wherever a pipeline is made, the tokenizer's among them: torch is imported in the methods only.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import srsly
from spacy.language import Language
from spacy.pipeline import Pipe
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from sentiment.default import model_folder

if TYPE_CHECKING:
    from sentiment.bundle import Bundle
    from sentiment.classifier import Classifier, EncodedText

NAME = "sentiment_bilstm"
ATTRIBUTE = "sentiment"


class SentimentComponent(Pipe):
    """The model's answers for documents, and for their sentences where a component before it has set those.

    `retokenize` splits the text as the model was trained to, so that answers are those of `sentiment.load().predict`;
    without it the document's own tokens are read, each in its normal form. A document without text has no answer:
    `doc._.sentiment` is None.
    """

    def __init__(self, name: str, folder: Path, *, retokenize: bool) -> None:
        self.name = name
        self.retokenize = retokenize
        self._folder = folder
        for owner in (Doc, Span):
            if not owner.has_extension(ATTRIBUTE):
                owner.set_extension(ATTRIBUTE, default=None)

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickle keeps: the settings, and the contents of the model folder's files."""
        state = {name: value for name, value in vars(self).items() if name != "classifier"} | {"bundle": self.bundle}
        return partial(type(self), retokenize=self.retokenize), (self.name, self._folder), state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    @cached_property
    def bundle(self) -> "Bundle":
        """Return the model. Loaded when it is first needed: of a pipeline from disk, not from where it was first."""
        from sentiment import bundle as bundles

        return bundles.load(self._folder)

    @cached_property
    def classifier(self) -> "Classifier":
        """Return the classifier."""
        from sentiment.classifier import Classifier

        return Classifier(self.bundle)

    def __call__(self, doc: Doc) -> Doc:
        """Return the document, with its answers."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 256) -> Iterator[Doc]:
        """Yield the documents with their answers, in order, computed together."""
        handle = self.get_error_handler()
        for docs in minibatch(stream, size=batch_size):
            try:
                self._answer(docs)
            except Exception as error:
                handle(self.name, self, docs, error)
            yield from docs

    def _answer(self, docs: Sequence[Doc]) -> None:
        wholes = [doc[:] for doc in docs if self._has_text(doc[:])]
        parts = [
            sentence
            for whole in wholes
            if whole.doc.has_annotation("SENT_START")
            for sentence in whole.doc.sents
            if len(sentence) < len(whole) and self._has_text(sentence)
        ]
        spans = [*wholes, *parts]
        answers = [asdict(each) for each in self.classifier.classify(self._encode(spans))] if spans else []
        for span, answer in zip(spans, answers, strict=True):
            span._.set(ATTRIBUTE, answer)
        for whole, answer in zip(wholes, answers, strict=False):
            whole.doc._.set(ATTRIBUTE, answer)
            whole.doc.cats.update(answer["probabilities"])

    def _has_text(self, span: Span) -> bool:
        """Return whether the text has more than white space, markup and invisible signs."""
        [(tokens, _)] = self.classifier.tokenizer.tokenize([span.text])
        return bool(tokens)

    def _encode(self, spans: Sequence[Span]) -> "list[EncodedText]":
        if self.retokenize:
            return self.classifier.encode([span.text for span in spans])
        return self.classifier.encode_tokens([[token.text for token in span] for span in spans])

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model's folder."""
        from sentiment import bundle as bundles

        bundles.save(self.bundle, Path(path))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> "SentimentComponent":
        """Load the model of that folder. Raises BundleError if it isn't as it was written."""
        from sentiment import bundle as bundles

        self.bundle = bundles.load(Path(path))
        self.__dict__.pop("classifier", None)
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """Return the model's folder as bytes."""
        with tempfile.TemporaryDirectory() as folder:
            self.to_disk(Path(folder) / "model")
            files = {file.name: file.read_bytes() for file in (Path(folder) / "model").iterdir()}
        return srsly.msgpack_dumps(files)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> "SentimentComponent":
        """Load from the result of `to_bytes`."""
        with tempfile.TemporaryDirectory() as folder:
            for name, content in srsly.msgpack_loads(data).items():
                (Path(folder) / Path(name).name).write_bytes(content)
            return self.from_disk(folder)


@Language.factory(
    NAME,
    assigns=["doc.cats", f"doc._.{ATTRIBUTE}", f"span._.{ATTRIBUTE}"],
    default_config={"model": "default", "retokenize": True},
)
def create(nlp: Language, name: str, model: str, retokenize: bool) -> SentimentComponent:
    """Create the component for spaCy's registry: `model` is a folder, or "default" for the package's model."""
    return SentimentComponent(name, model_folder(model), retokenize=retokenize)
