"""The kinds of tests: their settings, their cases, and the answers that fail."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from sentiment.config import Count, Settings
from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour.templates import Template, fillings

ORIGINAL = "text"  # in a variant, the place of the text that it varies
Share = Annotated[float, Field(ge=0, le=1)]
Change = Annotated[float, Field(ge=-1, le=1)]
Strings = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]
OneOrMore = Annotated[Strings, BeforeValidator(lambda value: (value,) if isinstance(value, str) else value)]
Lists = Mapping[str, Sequence[str]]
Case = tuple[str, ...]  # a text, and those that are held against it


@dataclass(frozen=True, slots=True)
class Answer:
    """A model's answer to a text, in the suite's labels."""

    text: str
    label: str
    probabilities: dict[str, float]

    def distance(self, other: "Answer") -> float:
        """Return the largest change of a probability."""
        return max(abs(share - other.probabilities[label]) for label, share in self.probabilities.items())


class BehaviourTest(Settings):
    """Base of all kinds."""

    kind: str
    name: Annotated[str, Field(min_length=1)]
    texts: Strings  # templates
    max_failing: Share = 0.0  # of the cases
    max_cases: Count = 50  # but one for each template and variant at least

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels that it expects."""
        return ()

    @abstractmethod
    def cases(self, lists: Lists) -> list[Case]:
        """Return the texts of its cases. Raises ConfigError for a template that the lists can't fill."""

    @abstractmethod
    def at_fault(self, answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """Return the answers that show the failure of a case; none if it passes."""

    def _fillings(self, places: Sequence[str], lists: Lists, among: int, seed: str) -> list[dict[str, str]]:
        return fillings(places, lists, max(1, self.max_cases // among), seed)


class MinimumFunctionality(BehaviourTest):
    """Texts with an undisputed label: a case fails if the answer is none of `label`."""

    kind: Literal["minimum functionality"]
    label: OneOrMore

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the labels that it expects."""
        return self.label

    def cases(self, lists: Lists) -> list[Case]:
        """Return its texts, each a case."""
        cases: list[Case] = []
        for text in self.texts:
            template = _template("texts", text, lists)
            words = self._fillings(template.places, lists, len(self.texts), text)
            cases += [(template.filled(each),) for each in words]
        return cases

    def at_fault(self, answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """Return the answer if its label is wrong."""
        return tuple(answer for answer in answers if answer.label not in self.label)


class Varied(BehaviourTest):
    """Base of the kinds that hold a text against its variants: templates, in which {text} is the text."""

    variants: tuple[str, ...] = ()

    def cases(self, lists: Lists) -> list[Case]:
        """Return each text with one of its variants."""
        cases: list[Case] = []
        for text in self.texts:
            template = _template("texts", text, lists)
            for variant in self.variants:
                varied = _template("variants", variant, {**lists, ORIGINAL: ()})
                places = [place for place in dict.fromkeys(template.places + varied.places) if place != ORIGINAL]
                for words in self._fillings(places, lists, len(self.texts) * len(self.variants), text + variant):
                    original = template.filled(words)
                    cases.append((original, varied.filled({**words, ORIGINAL: original})))
        return cases


class Invariance(Varied):
    """Texts and what must not matter: a case fails where the label changes or a probability by more than `tolerance`.

    Neither the `variants` nor the word in the place `vary` may matter.
    """

    kind: Literal["invariance", "fairness"]
    vary: str | None = None
    tolerance: Share = 0.1

    @model_validator(mode="after")
    def _refuse_both_and_neither(self) -> "Invariance":
        if (self.vary is None) == (not self.variants):
            raise ValueError("give vary, a word list, or variants" + (", not both" if self.variants else ""))
        return self

    def cases(self, lists: Lists) -> list[Case]:
        """Return each text with one of its variants, or with all words of the varied place."""
        if self.vary is None:
            return super().cases(lists)
        cases = []
        for text in self.texts:
            template = _template("texts", text, lists)
            if self.vary not in template.places:
                raise ConfigError(f"texts: {text!r} has no place {{{self.vary}}} to vary")
            others = [place for place in template.places if place != self.vary]
            for words in self._fillings(others, lists, len(self.texts), text):
                cases.append(tuple(template.filled({**words, self.vary: word}) for word in lists[self.vary]))
        return cases

    def at_fault(self, answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """Return the two answers that differ most, if their labels do, or a probability by over `tolerance`."""
        pairs = [
            (one, other)
            for one, other in combinations(answers, 2)
            if one.label != other.label or one.distance(other) > self.tolerance
        ]
        return max(pairs, key=lambda pair: pair[0].distance(pair[1]), default=())


class Directional(Varied):
    """Texts and what must move a probability: that of `label`, from a text to its variant.

    A case fails where it changes by less than `min_change` or by more than `max_change`; a fall is a change below 0.
    """

    kind: Literal["directional"]
    variants: Strings
    label: Annotated[str, Field(min_length=1)]
    min_change: Change = -1.0
    max_change: Change = 1.0

    @model_validator(mode="after")
    def _refuse_what_holds_always(self) -> "Directional":
        if (self.min_change, self.max_change) == (-1.0, 1.0):
            raise ValueError("give min_change or max_change")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the label whose probability it tests."""
        return (self.label,)

    def at_fault(self, answers: Sequence[Answer]) -> tuple[Answer, ...]:
        """Return both answers if the probability changed the wrong way."""
        before, after = (answer.probabilities[self.label] for answer in answers)
        return () if self.min_change <= after - before <= self.max_change else tuple(answers)


KINDS: dict[str, type[BehaviourTest]] = {
    "minimum functionality": MinimumFunctionality,
    "invariance": Invariance,
    "directional": Directional,
    "fairness": Invariance,
}


def _template(key: str, text: str, known: Lists) -> Template:
    try:
        template = Template.of(text)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error}") from None
    for place in template.places:
        if place not in known:
            raise ConfigError(f"{key}: {text!r}: there is no word list {place!r}; there are {', '.join(sorted(known))}")
    return template
