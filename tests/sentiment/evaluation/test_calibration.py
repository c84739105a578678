import pytest
import torch

from sentiment.evaluation.calibration import (
    expected_calibration_error,
    fit_temperature,
    fit_temperature_and_biases,
    held_logits,
)


def test_ece_of_known_confidences() -> None:
    probabilities = torch.tensor([[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.4, 0.6]], dtype=torch.double)
    targets = torch.tensor([0, 0, 1, 1])
    # At 0.9: 2 of 3 right; at 0.6: 1 of 1.
    expected = 3 / 4 * abs(0.9 - 2 / 3) + 1 / 4 * abs(0.6 - 1)
    assert expected_calibration_error(probabilities, targets) == pytest.approx(expected)


def test_ece_of_certainty_that_is_right_is_zero() -> None:
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
    assert fit_temperature([small, large]) == fit_temperature([doubled, large])


def test_logits_are_kept_of_the_classes_that_a_set_holds() -> None:
    held = held_logits(torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), torch.tensor([2, 0]))
    assert held.tolist() == [[1.0, -torch.inf, 3.0], [4.0, -torch.inf, 6.0]]


def test_biases_undo_how_a_model_leans() -> None:
    generator = torch.Generator().manual_seed(2)
    honest = torch.randn(20_000, 3, generator=generator).double() * 2
    targets = torch.multinomial(torch.softmax(honest, -1), 1, generator=generator).squeeze(1)
    added = torch.tensor([0.5, -0.8, 0.3])
    temperature, biases = fit_temperature_and_biases([(2 * (honest - added), targets)])
    assert temperature == pytest.approx(2.0, rel=0.03)
    assert biases == pytest.approx(added.tolist(), abs=0.05)
    assert fit_temperature_and_biases([(honest, targets)])[1] == pytest.approx([0.0] * 3, abs=0.05)


def test_few_rows_move_the_biases_little_and_a_label_that_none_holds_not_at_all() -> None:
    logits = held_logits(torch.zeros(3, 3), targets := torch.tensor([0, 0, 2]))
    _, [negative, neutral, positive] = fit_temperature_and_biases([(logits, targets)])
    # Without the prior the odds of 2 to 1 would be believed: log(2) / 2.
    assert 0 < negative < 0.3
    assert (neutral, positive) == (0.0, -negative)


def test_answers_that_are_all_right_leave_a_temperature_within_its_bounds() -> None:
    targets = torch.arange(3).repeat(20)
    assert fit_temperature_and_biases([(torch.eye(3)[targets], targets)])[0] == pytest.approx(0.25, rel=0.01)
    assert fit_temperature_and_biases([(torch.eye(3)[targets], targets.roll(1))])[0] == pytest.approx(4, rel=0.01)


def test_biases_weigh_sets_the_same_whatever_their_size() -> None:
    logits = torch.zeros(100, 2)
    few, many = torch.tensor([0] * 20 + [1] * 80), torch.tensor([0] * 800 + [1] * 200)
    _, biases = fit_temperature_and_biases([(logits, few), (torch.zeros(1000, 2), many)])
    assert biases == pytest.approx([0.0, 0.0], abs=1e-3)
