"""The form of the hard cases; what a model makes of them is measured, not asserted."""

import json
from collections import Counter
from pathlib import Path

CASES = [json.loads(line) for line in (Path(__file__).parent / "hard_cases.jsonl").read_text().splitlines()]
PHENOMENA = ("negation", "contrast", "irony", "comparison", "hypothetical")


def test_there_are_two_hundred_different_ones_forty_of_each_phenomenon() -> None:
    assert Counter(case["phenomenon"] for case in CASES) == dict.fromkeys(PHENOMENA, 40)
    assert len({case["text"].casefold() for case in CASES}) == 200
    assert all(case["text"] == case["text"].strip() for case in CASES)


def test_no_phenomenon_but_irony_can_be_guessed_from_its_name() -> None:
    for phenomenon in PHENOMENA:
        labels = Counter(case["label"] for case in CASES if case["phenomenon"] == phenomenon)
        assert set(labels) <= {"negative", "neutral", "positive"}
        assert max(labels.values()) <= (30 if phenomenon == "irony" else 22), phenomenon
