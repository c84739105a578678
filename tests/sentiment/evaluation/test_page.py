"""The page in a real browser: on a phone and a desk, by day and by night."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sentiment.classifier import Classifier
from sentiment.evaluation.answers import answer
from sentiment.evaluation.page import page, write
from sentiment.evaluation.report import Report, report
from sentiment.nn.model import SentimentModel
from tests.conftest import WORDS, build_bundle

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install -r requirements-dev.txt")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe here: requirements-dev.txt")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("no chromium here: apt-get install chromium", allow_module_level=True)

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
HOSTILE = "<script>alert(1)</script> not a good film & " + "x" * 400
LONG = "the film is very boring and awful . " * 60
TABLE = {"rows": 9, "levels": [{"threshold": 0.4, "answered": 9, "wrong": 0, "bound": 0.06}]}


@pytest.fixture(scope="module")
def found() -> Report:
    classifier = Classifier(replace(build_bundle(), temperature=2.0, metrics={"abstention": {"dev": TABLE}}))
    rng = np.random.default_rng(0)
    texts = [HOSTILE, LONG, *(" ".join(rng.choice(WORDS, size=1 + place % 30)) for place in range(100))]
    said = [each.label for each in classifier.predict(texts[:2])]
    labels = ["positive" if label == "negative" else "negative" for label in said]
    labels += [("negative", "neutral", "positive")[place % 3] for place in range(100)]
    columns = {"<b>shop</b>": [f"https://example.org/{'long' * 20}/{place % 30}" for place in range(102)]}
    return report(classifier, answer(classifier, texts, labels), "data $x$ <i>.csv", columns)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(found: Report, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("page") / "report"
    write(found, folder)
    return (folder / "index.html").as_uri()


@pytest.mark.parametrize(("theme", "width"), [("light", 360), ("dark", 360), ("light", 1280), ("dark", 1280)])
def test_the_page_needs_nothing_and_fits(browser: Any, found: Report, address: str, theme: str, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
    seen = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    seen.on("console", lambda said: complaints.append(said.text))
    seen.on("pageerror", lambda error: complaints.append(str(error)))
    seen.on("request", lambda asked: requests.append(asked.url))
    seen.goto(address, wait_until="networkidle")
    assert (complaints, [url for url in requests if not url.startswith("data:")]) == ([], [address])
    assert seen.evaluate("document.documentElement.scrollWidth") == width
    assert seen.locator("svg").count() == 5
    assert seen.locator("svg").first.bounding_box()["width"] > 300
    assert seen.locator("article.error").count() == len(found.errors) > 0
    violations = axe.Axe().run(seen).response["violations"]
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == []
    context.close()


GRADES = ("extremely disappointed", "disappointed", "indifferent, or neither", "enthusiastic", "extremely enthusiastic")


def test_five_long_labels_fit_a_phone_and_each_cell_has_a_share(browser: Any, tmp_path: Path) -> None:
    bundle = build_bundle()
    model = SentimentModel(bundle.model.config, vocabulary_size=len(bundle.vocabulary), num_classes=5).eval()
    classifier = Classifier(replace(bundle, model=model.requires_grad_(False), labels=GRADES))
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, size=1 + place % 30)) for place in range(4000)]
    answers = answer(classifier, texts, [GRADES[place % 5] for place in range(4000)])
    write(report(classifier, answers, "grades.csv"), tmp_path)
    seen = browser.new_page(viewport={"width": 360, "height": 800})
    seen.goto((tmp_path / "index.html").as_uri())
    assert seen.evaluate("document.documentElement.scrollWidth") == 360
    cut = "[...document.querySelectorAll('.scroll, th, td')].filter(cell => cell.scrollWidth > cell.clientWidth + 1)"
    assert seen.evaluate(f"{cut}.length") == 0
    cells = seen.locator(".confusion td small").all_inner_texts()
    shares = np.array([int(each.removesuffix("\N{NO-BREAK SPACE}%")) for each in cells]).reshape(5, 5)
    assert np.abs(shares.sum(axis=1) - 100).max() <= 2  # rounded
    assert axe.Axe().run(seen).response["violations"] == []
    seen.close()


def test_what_data_says_is_text_and_no_markup(found: Report) -> None:
    shown = page(found)
    assert "<script" not in shown
    assert "<b>shop" not in shown
    assert "By &lt;b&gt;shop&lt;/b&gt;" in shown
    assert "data $x$ &lt;i&gt;.csv" in shown
    assert re.findall(r"src=|@import|http-equiv|url\((?!#)", shown) == []


def test_the_same_answers_give_the_same_page(found: Report) -> None:
    assert page(found) == page(found)
