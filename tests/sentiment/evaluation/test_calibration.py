import pytest
import torch

from sentiment.evaluation.calibration import expected_calibration_error, fit_temperature


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
