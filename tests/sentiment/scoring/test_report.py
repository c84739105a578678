import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

from sentiment.classifier import Classifier
from sentiment.scoring import score
from sentiment.scoring.drift import METRIC, build_baseline
from sentiment.scoring.report import report, write_report
from tests.conftest import build_bundle


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
    assert "<h2>Drift</h2><p>Not known: tiny keeps nothing of its dev data" in page
    assert "http" not in page
    HTMLParser().feed(page)


def test_the_page_says_how_far_the_rows_are_from_the_dev_sets(tmp_path: Path) -> None:
    bundle = build_bundle()
    texts = ["a good film", "bad", "it is okay , not great", "awful !"] * 100
    judged = Classifier(bundle).predict(texts)
    kept = {
        "<near>.csv": build_baseline(judged),
        "far.csv": build_baseline(Classifier(bundle).predict(["the " * 90] * 500)),
    }
    classifier = Classifier(replace(bundle, metrics={METRIC: kept}))
    (tmp_path / "in.txt").write_text("\n".join(texts))
    page = report(score(classifier, tmp_path / "in.txt", tmp_path / "out.csv"), classifier)
    assert "Little drift from &lt;near&gt;.csv: these texts look like" in page
    assert "<th>dev set</th><th>lengths</th><th>unknown tokens</th><th>labels</th><th>confidence</th>" in page
    assert f"<tr><td>&lt;near&gt;.csv</td>{'<td>little (0.00)</td>' * 4}</tr><tr><td>far.csv</td><td>much (" in page
    HTMLParser().feed(page)
    (tmp_path / "in.txt").write_text("\n")
    page = report(score(classifier, tmp_path / "in.txt", tmp_path / "out.csv"), classifier)
    assert "<h2>Drift</h2><p>No row was scored.</p>" in page
