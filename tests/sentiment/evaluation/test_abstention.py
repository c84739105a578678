import numpy as np
import pytest

from sentiment.evaluation.abstention import abstention_table


def drawn(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Answers of two classes whose confidence is the chance that they are right."""
    confidence = rng.uniform(0.5, 1.0, rows)
    wrong = rng.random(rows) > confidence
    return np.stack([confidence, 1 - confidence], axis=1), wrong.astype(np.int64)


def test_levels_count_what_stands_above_them() -> None:
    probabilities, targets = drawn(np.random.default_rng(0), 1000)
    table = abstention_table(probabilities, targets)
    assert (table.rows, len(table.levels)) == (1000, 20)
    assert [level.answered for level in table.levels] == list(range(50, 1001, 50))
    assert table.levels[-1].threshold == 0.0
    assert table.levels[-1].wrong == targets.sum()
    for level in table.levels:
        answered = probabilities.max(axis=1) >= level.threshold
        assert (level.answered, level.wrong) == (answered.sum(), targets[answered].sum())
        assert level.wrong / level.answered < level.bound <= 1


def test_the_bound_is_clopper_and_pearsons_at_a_twentieth_of_the_chance() -> None:
    table = abstention_table(np.tile([0.9, 0.1], (100, 1)), np.zeros(100, dtype=np.int64))
    # All rows are equally sure: answered all or none. None wrong in n: (1 - bound) ** n is the chance.
    [level] = table.levels
    assert (level.answered, level.wrong) == (100, 0)
    assert (1 - level.bound) ** 100 == pytest.approx(0.05 / 20)


@pytest.mark.parametrize("promise", [0.07, 0.1, 0.2])
def test_promises_hold_on_unseen_answers(promise: float) -> None:
    rng = np.random.default_rng(7)
    made = broken = 0
    for _ in range(200):
        threshold = abstention_table(*drawn(rng, 4000)).threshold(promise)
        if threshold is None:
            continue
        made += 1
        # Confidence is even between 0.5 and 1, so the share of wrong answers above a threshold is known.
        broken += (1 - max(threshold, 0.5)) / 2 > promise
    assert made > 100
    assert broken <= 0.05 * 200


def test_a_single_row_promises_nothing() -> None:
    table = abstention_table(np.array([[0.9, 0.1]]), np.array([0]))
    assert table.least > 0.99
