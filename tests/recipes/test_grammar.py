import json
import random
from itertools import islice
from pathlib import Path

import pytest

from recipes.everyday import rows as everyday_rows
from recipes.grammar import GRAMMAR, ROWS, filled, rows, runs, sentence, typed
from recipes.templates import rows as template_rows
from sentiment.evaluation.behaviour.suite import read_suite

HARD_CASES = Path(__file__).parents[1] / "data" / "hard_cases.jsonl"


def judged() -> set[tuple[str, ...]]:
    """Every five words in a row of the texts that the model is judged by."""
    texts = [json.loads(line)["text"] for line in HARD_CASES.read_text().splitlines()]
    texts += [text for _, cases in read_suite(["default"]).tests for case in cases for text in case]
    return {run for text in texts for run in runs(text)}


def test_no_text_shares_five_words_in_a_row_with_what_judges_the_model() -> None:
    learned = {run for text, _ in islice(rows(), ROWS) for run in runs(text)}
    learned |= {run for built in (template_rows(), everyday_rows()) for text, _ in built for run in runs(text)}
    assert learned & judged() == set()


def test_the_same_texts_come_each_time_with_all_three_labels() -> None:
    first = list(islice(rows(), 300))
    assert first == list(islice(rows(), 300))
    assert len({text for text, _ in first}) == 300
    shares = {label: sum(found == label for _, found in first) / 300 for label in ("negative", "neutral", "positive")}
    assert shares == pytest.approx({"negative": 0.4, "neutral": 0.2, "positive": 0.4}, abs=0.1)


def test_a_place_takes_the_right_article_and_a_sentence_its_capital() -> None:
    rng = random.Random(0)
    texts = {filled("what a {p} {t}", rng) for _ in range(200)}
    assert all(text.startswith(("What a ", "What an ")) for text in texts)
    assert any(text.startswith("What an a") for text in texts)
    assert not any(text.startswith(("What a a", "What an b")) for text in texts)
    assert all("{" not in filled(template, rng) for template in GRAMMAR["positive"] + GRAMMAR["negative"])


def test_what_people_type_keeps_the_sentence() -> None:
    rng = random.Random(0)
    found = {typed("The bus was late.", rng) for _ in range(200)}
    assert {"the bus was late.", "THE BUS WAS LATE.", "“The bus was late.”"} <= found
    assert any(text.endswith("The bus was late. 🚌") for text in found)


def test_the_last_word_decides_where_two_opinions_stand() -> None:
    rng = random.Random(0)
    assert any("But " in sentence("positive", rng) for _ in range(1000))
