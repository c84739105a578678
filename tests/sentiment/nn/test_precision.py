import pytest

from sentiment.nn import precision


@pytest.mark.parametrize(
    ("facts", "native"),
    [
        ("vendor_id\t: AuthenticAMD\nflags\t\t: fma avx avx2", ["float32"]),
        ("vendor_id\t: GenuineIntel\nflags\t\t: avx512f avx512_bf16 amx_bf16", ["float32", "bfloat16"]),
        ("CPU implementer\t: 0x41\nFeatures\t: fp asimd bf16", ["float32", "bfloat16"]),
        ("", ["float32"]),
    ],
)
def test_what_a_processor_computes_itself(monkeypatch: pytest.MonkeyPatch, facts: str, native: list[str]) -> None:
    monkeypatch.setattr(precision, "_cpuinfo", lambda: facts)
    precision.bfloat16_units.cache_clear()
    try:
        assert precision.native_dtypes() == native
        assert precision.fastest_dtype() == native[-1]
    finally:
        precision.bfloat16_units.cache_clear()
