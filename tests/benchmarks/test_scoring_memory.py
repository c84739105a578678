import json
from pathlib import Path

import pytest

from benchmarks import scoring_memory
from benchmarks.scoring_memory import Sample, Sampler, figures, holds
from sentiment.scoring import Progress


def samples(resident: list[int], rows_per_second: list[int]) -> list[Sample]:
    rows = 0
    found = []
    for second, (mib, speed) in enumerate(zip(resident, rows_per_second, strict=True)):
        rows += speed
        found.append(Sample(float(second), rows, mib << 20))
    return found


def test_first_and_last_tenth_side_by_side() -> None:
    found = figures(samples([100] + [1000] * 50 + [1200] + [1020] * 48, [100] * 100))
    assert found == {
        "samples": 100,
        "resident_mib": [1000, 1020],
        "memory_drift": 0.02,
        "peak_mib": 1200,
        "rows_per_second": [100, 100],
        "speed_share": 1.0,
    }
    assert holds(found)


@pytest.mark.parametrize(
    ("resident", "speeds"),
    [
        ([1000] * 50 + [1060] * 50, [100] * 100),
        ([1000] * 50 + [2048] + [1000] * 49, [100] * 100),
        ([1000] * 100, [100] * 50 + [80] * 50),
    ],
)
def test_growth_a_peak_and_slowing_down_are_seen(resident: list[int], speeds: list[int]) -> None:
    assert not holds(figures(samples(resident, speeds)))


def test_too_few_samples_say_nothing() -> None:
    with pytest.raises(ValueError, match="3 samples say nothing of first and last"):
        figures(samples([1] * 3, [1] * 3))


def test_a_sample_an_interval() -> None:
    sampler = Sampler(1.0, lambda: 7, clock=iter([0.0, 0.5, 0.9, 1.6, 9.0]).__next__)
    for rows in (0, 10, 20, 30, 40):
        sampler.progress(Progress(rows, 0, 0, 0, 0.0, 0))
    assert sampler.samples == [Sample(0.5, 10, 7), Sample(1.6, 30, 7), Sample(9.0, 40, 7)]


@pytest.mark.slow  # a process loads the model
def test_a_job_is_measured(tiny_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    toy = ("--rows", "30000", "--processes", "1", "--interval-seconds", "0", "--scratch", str(tmp_path))
    with pytest.raises(SystemExit):
        scoring_memory.main([*toy, "--model", str(tiny_bundle)])
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["samples"]) == (30_000, 8)
    assert found["peak_mib"] >= found["resident_mib"][1] > 100
    assert list(tmp_path.iterdir()) == []
