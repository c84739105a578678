from itertools import product
from pathlib import Path

import numpy as np
import pytest

from benchmarks import abstention
from benchmarks.abstention import PROMISES, main, measure
from sentiment.classifier import Classifier


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


def test_a_row_for_each_set_and_promise(
    tiny_bundle: Path,
    tiny_classifier: Classifier,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(abstention, "HALVINGS", 4)
    texts = [
        " ".join(words) for words in product(("good", "bad", "okay"), ("film", "great", "boring"), (".", "!"))
    ] * 20
    labels = [prediction.label for prediction in tiny_classifier.predict(texts)]
    few, right = tmp_path / "few.csv", tmp_path / "right.csv"
    few.write_text("text,label\ngood,positive\nbad,negative\n")
    right.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in zip(texts, labels, strict=True)))
    main([str(few), str(right), "--model", str(tiny_bundle)])
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header == abstention.HEADER
    assert {row.count("|") for row in rows} == {header.count("|")}
    found = [row.strip("| ").split(" | ") for row in rows]
    assert [cells[:2] for cells in found] == [
        [path.name, f"{promise:.0%}"] for path in (few, right) for promise in PROMISES
    ]
    assert found[0][2] == "0% of halvings"
    assert found[-1][2:] == ["100% of halvings", "100%", "0.0%", "0.0%", "0.0%"]
