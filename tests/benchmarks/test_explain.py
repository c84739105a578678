import json
from pathlib import Path

import pytest

from benchmarks import explain


@pytest.mark.usefixtures("few_texts")
def test_every_figure_of_a_run(tiny_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    explain.main(["--model", str(tiny_bundle), "--repeats", "1", "--reviews", "2"])
    figures = json.loads(capsys.readouterr().out)
    assert figures["setting"]["texts"] == "generated"
    assert figures["deletion (the aim: 3 times random)"]["texts"] > 0
    for texts in ("sentences", "reviews"):
        completeness = figures[f"completeness, {texts} (the aim: 0.01)"]
        assert 0 <= completeness["mean share"] <= completeness["largest share"]
        cost = figures[f"explain / predict, {texts} (the aim: 40)"]
        assert cost["ratio"] == pytest.approx(cost["explain"] / cost["predict"])
    views = [cost for name, cost in figures.items() if name.startswith("sentence view")]
    assert [view["ratio"] == pytest.approx(view["sentence view"] / view["predict"]) for view in views] == [True] * 2
