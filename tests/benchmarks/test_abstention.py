import numpy as np
import pytest

from benchmarks.abstention import main, measure


def test_it_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="^0$"):
        main(["--help"])
    assert "FILE" in capsys.readouterr().out


def test_halves_that_are_alike_keep_the_promise() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1, 4000)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    targets = (rng.random(4000) > confidence).astype(np.int64)
    found = measure(probabilities, targets, 0.15, halvings=20)
    assert len(found) == 20
    assert all(0.3 < answered < 0.65 for answered, _ in found)
    assert sum(wrong > 0.15 for _, wrong in found) <= 2
