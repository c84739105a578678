"""Label a text sentence by sentence, and find texts with two opinions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

from sentiment.classifier import AlignedText, Classifier, EncodedText, Prediction

CLEAR = 0.8  # the probability from which on a sentence is clearly positive or clearly negative
OPPOSITES = ("positive", "negative")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a text, with the white space after it, and its own label."""

    start: int  # in code points
    end: int
    label: str
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True)
class SentenceView:
    """A text as a whole and by its sentences, whose spans, joined, are the text."""

    prediction: Prediction
    sentences: list[Sentence]
    mixed: bool  # one sentence is positive, and one negative, with a probability of `CLEAR` or more


@dataclass(frozen=True, slots=True)
class SplitText:
    """A text divided into its sentences, before the network reads it."""

    cuts: list[int]  # in code points: where the sentences begin, and where the last one ends
    parts: list[EncodedText]  # the text, then its sentences; a single sentence is the text

    def view(self, predictions: Sequence[Prediction]) -> SentenceView:
        """Return the view made of predictions of `parts`, in this order."""
        whole, *own = predictions
        sentences = [
            Sentence(start, end, prediction.label, prediction.probabilities)
            for (start, end), prediction in zip(pairwise(self.cuts), own or [whole], strict=True)
        ]
        clear = {label for label in OPPOSITES if any(each.probabilities.get(label, 0) >= CLEAR for each in sentences)}
        return SentenceView(whole, sentences, mixed=len(clear) == len(OPPOSITES))


def read_sentences(classifier: Classifier, texts: Sequence[str]) -> list[SentenceView]:
    """Label each text and its sentences, in the order given. Raises TextError as `predict` does."""
    split_texts = split_sentences(classifier, texts)
    predictions = iter(classifier.classify([part for split in split_texts for part in split.parts]))
    return [split.view(list(islice(predictions, len(split.parts)))) for split in split_texts]


def split_sentences(classifier: Classifier, texts: Sequence[str]) -> list[SplitText]:
    """Split each text at the sentence starts of spaCy's sentencizer, but never after abbreviations such as "Mr.".

    The unread part of a truncated text belongs to the sentence that contains it. Raises TextError as `predict` does.
    """
    tokenizer = classifier.tokenizer
    return [
        _split(text, tokenizer.sentence_starts(text.tokens), tokenizer.abbreviations)
        for text in classifier.align(texts)
    ]


def _split(text: AlignedText, starts: Sequence[int], abbreviations: Collection[str]) -> SplitText:
    ranges = _token_ranges(text, starts, abbreviations)
    cuts = [0, *(text.spans[first][0] for first, _ in ranges[1:]), len(text.text)]
    token_ids = text.encoded.token_ids
    parts = [EncodedText(token_ids[first:after], truncated=False) for first, after in ranges]
    return SplitText(cuts, [text.encoded, *(parts if len(parts) > 1 else [])])


def _token_ranges(text: AlignedText, starts: Sequence[int], abbreviations: Collection[str]) -> list[tuple[int, int]]:
    """Return for each sentence its first token and the one after its last."""

    def ends_before(place: int) -> bool:
        before, end = text.spans[max(0, place - 2)][0], text.spans[place - 1][1]
        # What one character or entity became is not torn apart.
        return text.spans[place][0] >= end and text.text[before:end] not in abbreviations

    firsts = [place for place in starts if place and ends_before(place)]
    return list(pairwise([0, *firsts, len(text.spans)]))
