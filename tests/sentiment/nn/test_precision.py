import pytest
import torch

from sentiment.nn import precision
from sentiment.nn.precision import autocast, choose_dtype, measure


@pytest.mark.parametrize(
    ("facts", "units"),
    [
        ("vendor_id\t: GenuineIntel\nflags\t\t: avx512f avx512_bf16 amx_bf16", ["amx_bf16", "avx512_bf16"]),
        ("CPU implementer\t: 0x41\nFeatures\t: fp asimd bf16", ["bf16"]),
        ("vendor_id\t: AuthenticAMD\nflags\t\t: avx2 fma", []),
        ("", []),
    ],
)
def test_the_units_are_those_that_the_processor_names(
    monkeypatch: pytest.MonkeyPatch, facts: str, units: list[str]
) -> None:
    monkeypatch.setattr(precision, "_cpuinfo", lambda: facts)
    precision.bfloat16_units.cache_clear()
    try:
        assert precision.bfloat16_units() == units
    finally:
        precision.bfloat16_units.cache_clear()


class Clock:
    """A clock that work moves."""

    def __init__(self, **seconds: float) -> None:
        self.now, self.runs = 0.0, dict.fromkeys(seconds, 0)
        self._seconds = seconds

    def work(self, name: str) -> None:
        self.now += self._seconds[name] * (10 if self.runs[name] == 0 else 1)  # a first run prepares things
        self.runs[name] += 1


@pytest.mark.parametrize(
    ("float32", "bfloat16", "chosen"),
    [(1e-3, 5e-4, "bfloat16"), (5e-4, 1e-3, "float32"), (1e-3, 0.95e-3, "float32"), (9.0, 2.0, "bfloat16")],
)
def test_the_quicker_format_is_chosen_and_float32_unless_it_pays(
    float32: float, bfloat16: float, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENTIMENT_TEST_DTYPE", raising=False)
    clock = Clock(float32=float32, bfloat16=bfloat16)
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock.now)
    choice = choose_dtype(clock.work)
    assert choice.dtype == chosen
    times = 10 if float32 > 1 else 1  # where first runs take longer than a measurement may, they are it
    assert choice.seconds == pytest.approx({"float32": times * float32, "bfloat16": times * bfloat16})
    assert set(clock.runs.values()) == {1} if float32 > 1 else min(clock.runs.values()) > 10


def test_what_cannot_be_computed_in_bfloat16_is_computed_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    def work(dtype: str) -> None:
        if dtype == "bfloat16":
            raise RuntimeError("could not create a primitive descriptor")

    monkeypatch.delenv("SENTIMENT_TEST_DTYPE", raising=False)
    assert choose_dtype(work) == precision.DtypeChoice("float32")


def test_each_way_is_run_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, order = Clock(a=0.01, b=0.02), []
    monkeypatch.setattr(precision.time, "perf_counter", lambda: clock.now)

    def way(name: str) -> None:
        order.append(name)
        clock.work(name)

    assert measure({name: lambda name=name: way(name) for name in "ab"}, seconds=0.4) == pytest.approx(
        {"a": 0.01, "b": 0.02}
    )
    assert order == list("ab") * (len(order) // 2)


def test_a_format_that_is_forced_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", "bfloat16")
    choice = choose_dtype(lambda dtype: pytest.fail(dtype))
    assert (choice.dtype, choice.seconds) == ("bfloat16", {})


@pytest.mark.parametrize(("dtype", "product"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)])
def test_products_are_computed_in_the_format(dtype: str, product: torch.dtype) -> None:
    with autocast(dtype):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == product
