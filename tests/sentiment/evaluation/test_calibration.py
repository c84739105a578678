import math

import pytest
import torch

from sentiment.evaluation.calibration import (
    Calibration,
    expected_calibration_error,
    fit_calibration,
    fit_temperature,
    held_out_probabilities,
)


def test_ece_of_known_confidences() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]], dtype=torch.double)
    targets = torch.tensor([0, 0, 1, 1])
    # At 0.9: 2 of 3 right; at 0.6: 1 of 1.
    expected = 3 / 4 * abs(0.9 - 2 / 3) + 1 / 4 * abs(0.6 - 1)
    assert expected_calibration_error(probabilities, targets) == pytest.approx(expected)
    assert expected_calibration_error(torch.eye(3, dtype=torch.double), torch.arange(3)) == 0.0


def test_temperature_undoes_an_overconfident_scale() -> None:
    generator = torch.Generator().manual_seed(0)
    honest = torch.randn(20_000, 3, generator=generator)
    targets = torch.multinomial(torch.softmax(honest, -1), 1, generator=generator).squeeze(1)
    assert fit_temperature([(honest * 2.5, targets)]) == pytest.approx(2.5, rel=0.05)
    assert fit_temperature([(honest, targets)]) == pytest.approx(1.0, rel=0.05)


def test_temperature_weighs_sets_the_same_whatever_their_size() -> None:
    generator = torch.Generator().manual_seed(1)
    honest = torch.randn(5_000, 2, generator=generator)
    targets = torch.multinomial(torch.softmax(honest, -1), 1, generator=generator).squeeze(1)
    small, large = (honest[:500] * 3, targets[:500]), (honest, targets)
    doubled = (torch.cat([small[0]] * 8), torch.cat([small[1]] * 8))
    assert fit_temperature([small, large]) == pytest.approx(fit_temperature([doubled, large]), rel=0.03)  # the prior


def test_a_class_that_a_set_never_holds_has_no_part_in_the_fit() -> None:
    logits = torch.randn(200, 2, generator=torch.Generator().manual_seed(4)).double()
    targets = torch.multinomial(torch.softmax(logits / 2, -1), 1, generator=torch.Generator().manual_seed(5)).squeeze(1)
    third = torch.cat([logits, torch.full((200, 1), 9.0)], dim=1)
    assert fit_temperature([(third, targets)]) == fit_temperature([(logits, targets)])
    assert fit_calibration([(third, targets)]).biases == (*fit_calibration([(logits, targets)]).biases, 0.0)


def test_a_calibration_divides_and_adds() -> None:
    found = Calibration(2.0, (0.0, 1.0)).probabilities(torch.tensor([[2.0, 2.0]], dtype=torch.double))
    assert found.tolist() == [pytest.approx(torch.softmax(torch.tensor([1.0, 2.0]), -1).tolist())]


def test_biases_undo_how_a_model_leans() -> None:
    generator = torch.Generator().manual_seed(2)
    honest = torch.randn(20_000, 3, generator=generator).double() * 2
    targets = torch.multinomial(torch.softmax(honest, -1), 1, generator=generator).squeeze(1)
    added = torch.tensor([0.5, -0.8, 0.3])
    found = fit_calibration([(2 * (honest - added), targets)])
    assert found.temperature == pytest.approx(2.0, rel=0.03)
    assert found.biases == pytest.approx(added.tolist(), abs=0.05)
    assert fit_calibration([(honest, targets)]).biases == pytest.approx([0.0] * 3, abs=0.05)


def test_few_rows_move_the_biases_little() -> None:
    targets = torch.tensor([0, 0, 2])
    negative, neutral, positive = fit_calibration([(torch.zeros(3, 3), targets)]).biases
    # Without the prior the odds of 2 to 1 would be believed: log(2) / 2.
    assert 0 < negative < 0.3
    assert (neutral, positive) == (0.0, -negative)


def test_a_small_set_beside_a_large_one_is_believed_no_more_than_alone() -> None:
    small, large = torch.tensor([0] * 9 + [1]), torch.tensor([0, 1] * 5000)
    alone = fit_calibration([(torch.zeros(10, 2), small)]).biases
    beside = fit_calibration([(torch.zeros(10, 2), small), (torch.zeros(10_000, 2), large)]).biases
    assert 0 < beside[0] < alone[0]


def test_answers_that_are_all_right_leave_a_temperature_within_its_bounds() -> None:
    targets = torch.arange(3).repeat(20)
    assert fit_calibration([(torch.eye(3)[targets], targets)]).temperature == pytest.approx(0.25, rel=0.01)
    assert fit_calibration([(torch.eye(3)[targets], targets.roll(1))]).temperature == pytest.approx(4, rel=0.01)


def test_biases_weigh_sets_the_same_whatever_their_size() -> None:
    few, many = torch.tensor([0] * 90 + [1] * 10), torch.tensor([0] * 400 + [1] * 600)
    negative, positive = fit_calibration([(torch.zeros(100, 2), few), (torch.zeros(1000, 2), many)]).biases
    # Of both sets alike 65 % are of the first class, of all rows 45 %.
    assert negative == pytest.approx(math.log(65 / 35) / 2, abs=0.01)
    assert positive == -negative


def test_no_row_is_answered_by_a_fit_that_saw_it() -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(60, 20, generator=generator).double()
    targets = torch.randint(20, (60,), generator=generator)  # nothing to be learned but by heart
    by_heart = fit_calibration([(logits, targets)]).probabilities(logits)
    [held_out] = held_out_probabilities([(logits, targets)])
    losses = [float(-each[torch.arange(60), targets].log().mean()) for each in (by_heart, held_out)]
    assert losses[0] < math.log(20) < losses[1]
    assert held_out.sum(dim=1) == pytest.approx(torch.ones(60))
