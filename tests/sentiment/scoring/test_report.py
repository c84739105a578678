import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sentiment.classifier import Classifier
from sentiment.scoring import score
from sentiment.scoring.report import drift, report, said_on_dev_sets, write_report

FIGURES = {"labels": ["bad", "good"], "rows": 10, "confusion": [[4, 1], [2, 3]]}


def test_the_page_says_what_became_of_the_rows(tiny_classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good\nbad film\n\nnot a good film\n")
    summary = score(tiny_classifier, tmp_path / "in.txt", tmp_path / "<out>.csv")
    write_report(tmp_path / "report.html", summary, tiny_classifier)
    page = (tmp_path / "report.html").read_text()
    assert page == report(summary, tiny_classifier)
    assert "<title>&lt;out&gt;.csv, scored by tiny " in page
    for name, value in (("rows", "4"), ("scored", "3"), ("rejected", "1"), ("truncated texts", "0")):
        assert f"<tr><td>{name}</td><td>{value}</td></tr>" in page
    counts = re.findall(r"<tr><td>([^<]+)</td><td>(\d+)</td><td>[\d.]+%</td>", page)
    assert sum(int(count) for name, count in counts if name in tiny_classifier.labels) == 3
    assert sum(int(count) for name, count in counts if " to 0." in name or " to 1.00" in name) == 3
    assert [(name, count) for name, count in counts if name in ("1", "2 to 3", "4 to 7")] == [
        ("1", "1"), ("2 to 3", "1"), ("4 to 7", "1"),
    ]  # fmt: skip
    assert "The model has no figures of dev data" in page
    assert "http" not in page
    HTMLParser().feed(page)


def test_drift_is_none_for_the_same_shares_and_grows_with_their_distance() -> None:
    said = said_on_dev_sets({"dev": {"a": FIGURES, "b": {**FIGURES, "labels": ["good"]}}}, ("bad", "good"))
    assert said == {"a": {"bad": 6, "good": 4}}
    assert drift({"bad": 600, "good": 400}, said["a"]) == pytest.approx(0)
    assert 0 < drift({"bad": 500, "good": 500}, said["a"]) < 0.1
    assert drift({"bad": 10, "good": 990}, said["a"]) > 0.25
    assert drift({"good": 5}, said["a"]) > drift({"bad": 10, "good": 990}, said["a"]) - 2
    assert said_on_dev_sets({}, ("bad", "good")) == {}
