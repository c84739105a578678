"""Everything about one text, for a terminal, a page, a picture or a program."""

from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

from sentiment.classifier import Classifier
from sentiment.explain.attribution import Explanation, TokenWeight, explain
from sentiment.explain.sentences import SentenceView, read_sentences
from sentiment.explain.trace import MAX_TRACE_TOKENS, Trace, trace

GREEN, ORANGE = "#268454", "#c44e28"  # distinguishable with most colour vision deficiencies
LINES = (ORANGE, "#7a7f87", GREEN, "#3b6fb6", "#8a5bb0", "#b08a1e")  # of the labels, in their order


@dataclass(frozen=True, slots=True)
class Turn:
    """The token at which the answer changes as the text is read."""

    token: str
    label: str


@dataclass(frozen=True, slots=True)
class Report:
    """One text: its attribution, its sentences and its trace."""

    model: str
    text: str
    explanation: Explanation
    view: SentenceView
    trace: Trace | None  # none of a text of more than `MAX_TRACE_TOKENS` tokens

    @property
    def label(self) -> str:
        """Return the predicted label."""
        return self.explanation.prediction.label

    @property
    def colours(self) -> dict[str, str]:
        """Return the colours of words for the label and of words against it, in this order, by their names."""
        return colours_of(self.label)

    @property
    def heaviest(self) -> list[TokenWeight]:
        """Return the tokens by the size of their weight, largest first."""
        return sorted(self.explanation.tokens, key=lambda token: -abs(token.weight))

    @property
    def turns(self) -> list[Turn]:
        """Return the changes of the answer as the text is read."""
        if self.trace is None:
            return []
        running = self.trace.running
        labels = [max(running, key=lambda label: running[label][place]) for place in range(len(self.trace.tokens))]
        changes = zip(self.trace.tokens[1:], pairwise(labels), strict=True)
        return [Turn(token.text, after) for token, (before, after) in changes if before != after]

    def as_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and numbers only, for JSON."""
        return {
            "model": self.model,
            "text": self.text,
            "explanation": asdict(self.explanation),
            "sentences": [asdict(sentence) for sentence in self.view.sentences],
            "mixed": self.view.mixed,
            "trace": self.trace.as_dict() if self.trace else None,
        }


def colours_of(label: str) -> dict[str, str]:
    """Return the colours of words for the label and of words against it, in this order, by their names."""
    green, orange = {"green": GREEN}, {"orange": ORANGE}
    return orange | green if label == "negative" else green | orange


def report(classifier: Classifier, text: str) -> Report:
    """Return everything about this text. Raises TextError as `predict` does."""
    [explanation] = explain(classifier, [text])
    [view] = read_sentences(classifier, [text])
    short = len(explanation.tokens) <= MAX_TRACE_TOKENS
    model = f"{classifier.name} {classifier.version}"
    return Report(model, text, explanation, view, trace(classifier, text) if short else None)
