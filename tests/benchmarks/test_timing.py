import pytest

from benchmarks.timing import interleaved_medians


def test_contenders_take_turns_and_the_first_round_is_not_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    durations = {"a": iter([100.0, 1.0, 9.0, 2.0]), "b": iter([100.0, 5.0, 4.0, 6.0])}
    order = []

    def run(name: str) -> None:
        nonlocal now
        order.append(name)
        now += next(durations[name])

    monkeypatch.setattr("time.perf_counter", lambda: now)
    medians = interleaved_medians({"a": lambda: run("a"), "b": lambda: run("b")}, repeats=3)
    assert medians == {"a": 2.0, "b": 5.0}
    assert order == ["a", "b"] * 4
