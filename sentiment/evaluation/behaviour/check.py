"""A suite put to a model."""

from dataclasses import asdict, dataclass
from typing import Any

from sentiment.evaluation.behaviour.kinds import Answer
from sentiment.evaluation.behaviour.suite import Suite
from sentiment.predictor import LabelPredictor, Prediction


@dataclass(frozen=True)
class Result:
    """The result of one test. A failure is the answers that show it: one, or two that contradict each other."""

    kind: str
    name: str
    cases: int
    failures: tuple[tuple[Answer, ...], ...]
    max_failing: float

    @property
    def share(self) -> float:
        """Return the share of cases that failed."""
        return len(self.failures) / self.cases

    @property
    def passed(self) -> bool:
        """Return whether no more cases failed than allowed."""
        return self.share <= self.max_failing


@dataclass(frozen=True)
class Behaviour:
    """The results of all tests. Those `left_out` expect a label that the model doesn't have."""

    results: tuple[Result, ...]
    left_out: tuple[str, ...]

    @property
    def missed(self) -> tuple[Result, ...]:
        """Return the tests with more failing cases than allowed."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def summary(self) -> str:
        """Return the number of tests that passed, in words."""
        if not self.missed:
            return f"All {len(self.results)} tests hold."
        return f"{len(self.results) - len(self.missed)} of {len(self.results)} tests hold."

    @property
    def shortfall(self) -> str:
        """Return each failed test with its numbers, in words."""
        return ", ".join(
            f"{result.name} ({result.share:.1%} of {result.cases} cases fail, {result.max_failing:.1%} may)"
            for result in self.missed
        )

    def as_dict(self) -> dict[str, Any]:
        """Return dicts, lists, strings and numbers only, for JSON."""
        tests = [
            asdict(each) | {"failed": len(each.failures), "share": each.share, "passed": each.passed}
            for each in self.results
        ]
        return {"passed": not self.missed, "tests": tests, "left_out": list(self.left_out)}


def check(predictor: LabelPredictor, suite: Suite) -> Behaviour:
    """Run the suite's tests on a model. Raises ConfigError if its labels or its language don't fit."""
    suite.check_fits(predictor.labels, predictor.text_config.language)
    names = suite.names(predictor.labels)
    known = set(names.values())
    asked = [(test, cases) for test, cases in suite.tests if not test.labels or known & set(test.labels)]
    texts = list(dict.fromkeys(text for _, cases in asked for case in cases for text in case))
    answers = {
        text: _answer(text, prediction, names) for text, prediction in zip(texts, predictor.predict(texts), strict=True)
    }
    results = []
    for test, cases in asked:
        at_fault = (test.at_fault([answers[text] for text in case]) for case in cases)
        results.append(Result(test.kind, test.name, len(cases), tuple(filter(None, at_fault)), test.max_failing))
    left_out = tuple(test.name for test, _ in suite.tests if test.name not in {result.name for result in results})
    return Behaviour(tuple(results), left_out)


def _answer(text: str, prediction: Prediction, names: dict[str, str]) -> Answer:
    probabilities = dict.fromkeys(names.values(), 0.0)
    for label, probability in prediction.probabilities.items():
        probabilities[names[label]] += probability
    return Answer(text, max(probabilities, key=probabilities.__getitem__), probabilities)
