import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from benchmarks import formats
from sentiment.nn import precision
from sentiment.nn.precision import DTYPES, bfloat16_units

SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch, few_texts: None) -> None:
    """A tiny teacher, and formats that are measured in as little time as can be."""
    monkeypatch.setattr(formats, "ENCODER_SIZES", SIZES)
    monkeypatch.setattr(formats, "STUDENT_TOKENS", 100)
    monkeypatch.setattr(precision, "measure", partial(precision.measure, seconds=0.0))
    monkeypatch.delenv("SENTIMENT_TEST_DTYPE", raising=False)


def test_every_figure_of_a_run(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    formats.main(["--model", str(tiny_bundle), "--repeats", "3", "--threads", "1", "--json"])
    results = json.loads(capsys.readouterr().out)
    assert results["setting"]["encoder"] == "random weights"
    assert results["setting"]["bfloat16_units"] == bfloat16_units()
    assert [(row["work"], row["unit"]) for row in results["formats"]] == [
        ("predict", "texts/s"),
        ("training step", "seconds"),
        ("teacher, labelling", "texts/s"),
        ("teacher, training step", "seconds"),
    ]
    for row in results["formats"]:
        assert all(row[dtype] > 0 for dtype in DTYPES)
        assert sum(int(part.split()[1].removesuffix("x")) for part in row["chosen"].split(", ")) == 3


def test_a_real_encoder_is_taken_and_the_table_holds_a_line_each(
    tiny_bundle: Path, save_encoder: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = save_encoder(tmp_path / "encoder")
    formats.main(["--model", str(tiny_bundle), "--encoder", str(encoder), "--repeats", "1", "--threads", "1"])
    shown = capsys.readouterr().out
    assert str(tmp_path).split("/")[-1] in "".join(shown.split())
    assert shown.count("1x") == 4
