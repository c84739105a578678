"""One text's whole report, on a terminal, as a page, as a picture and as JSON."""

import dataclasses
import html as html_entities
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from sentiment.classifier import Classifier
from sentiment.errors import ConfigError
from sentiment.explain.html import page
from sentiment.explain.picture import draw
from sentiment.explain.report import GREEN, ORANGE, Report, report
from sentiment.explain.terminal import print_report
from tests.conftest import MakeBundle

TEXT = "The film was <b>great</b>!\nIt is awful & $bad$. 😀 e\u0301 [bold]"


def shown(seen: Report, *, colour: bool = False, width: int = 100) -> str:
    stream = io.StringIO()
    system = "truecolor" if colour else None
    print_report(seen, Console(file=stream, width=width, color_system=system, force_terminal=colour))
    return stream.getvalue()


@pytest.fixture(scope="module")
def seen(tiny_classifier: Classifier) -> Report:
    return report(tiny_classifier, TEXT)


def test_a_report_holds_what_the_classifier_says(tiny_classifier: Classifier, seen: Report) -> None:
    assert seen.model == f"tiny {tiny_classifier.version}"
    assert seen.explanation == tiny_classifier.explain([TEXT])[0]
    assert seen.view == tiny_classifier.read_sentences([TEXT])[0]
    assert seen.trace is not None
    assert seen.trace.running == tiny_classifier.trace(TEXT).running
    weights = [abs(token.weight) for token in seen.heaviest]
    assert weights == sorted(weights, reverse=True)
    assert len(weights) == len(seen.explanation.tokens)
    content = json.loads(json.dumps(seen.as_dict()))
    assert content.keys() == {"model", "text", "explanation", "sentences", "mixed", "trace"}


def test_a_turn_is_where_the_highest_running_probability_changes(make_bundle: MakeBundle) -> None:
    seen = report(
        Classifier(make_bundle(seed=3)), "great boring film , not okay but it was very awful and a bad one :)"
    )
    assert seen.trace is not None
    running, turns = seen.trace.running, iter(seen.turns)
    before = max(running, key=lambda label: running[label][0])
    for place in range(1, len(seen.trace.tokens)):
        label = max(running, key=lambda label: running[label][place])
        if label != before:
            turn = next(turns)
            assert (turn.token, turn.label) == (seen.trace.tokens[place].text, label)
        before = label
    assert next(turns, None) is None
    assert seen.turns
    assert before == seen.label


def test_orange_speaks_for_negative_and_green_for_all_else(seen: Report) -> None:
    for label, colours in (("negative", [ORANGE, GREEN]), ("positive", [GREEN, ORANGE]), ("spam", [GREEN, ORANGE])):
        prediction = dataclasses.replace(seen.explanation.prediction, label=label)
        named = dataclasses.replace(seen, explanation=dataclasses.replace(seen.explanation, prediction=prediction))
        assert list(named.colours.values()) == colours


def test_a_heading_has_a_line_on_a_terminal_alone(seen: Report) -> None:
    assert "──" in shown(seen, colour=True)
    assert "──" not in shown(seen)


def test_a_terminal_without_colour_says_it_in_words(seen: Report) -> None:
    printed = shown(seen)
    assert "\x1b" not in printed
    assert printed.startswith(f"{seen.label} {seen.explanation.prediction.probabilities[seen.label]:.1%}   ")
    assert "The film was <b>great</b>!\nIt is awful & $bad$. 😀 e\u0301 [bold]\n" in printed
    first = seen.heaviest[0]
    assert f"heaviest, in log-odds: {first.text} {first.weight:+.2f}, " in printed
    assert f"{seen.explanation.prediction.unknown_tokens} of {len(seen.explanation.tokens)} tokens unknown" in printed
    assert "It is awful & $bad$." in printed
    charts = re.findall(r"^(negative|neutral|positive) +([▁▂▃▄▅▆▇█]+) +[\d.]+%$", printed, re.MULTILINE)
    assert [len(chart) for _, chart in charts] == [len(seen.explanation.tokens)] * 3


def test_a_terminal_with_colour_tints_the_words_and_keeps_the_text(seen: Report) -> None:
    printed = shown(seen, colour=True)
    assert "\x1b[" in printed
    assert "48;2;" in printed
    assert "The film was <b>great</b>!" in re.sub(r"\x1b\[[\d;]*m", "", printed)


def test_a_long_chart_fits_the_terminal(tiny_classifier: Classifier) -> None:
    printed = shown(report(tiny_classifier, "the film was good and bad " * 50), width=60)
    assert max(map(len, printed.splitlines())) <= 60


def test_what_is_too_long_to_trace_is_said(make_bundle: MakeBundle, tmp_path: Path) -> None:
    seen = report(Classifier(make_bundle(scale=1.0)), "good " * 513)
    assert (seen.trace, seen.turns) == (None, [])
    assert "not computed for more than 512 tokens" in shown(seen)
    assert "<polyline" not in page(seen)
    with pytest.raises(ConfigError, match="a picture shows at most 512 tokens; the text has 513"):
        draw(seen, tmp_path / "a.png")


def test_what_was_not_read_is_struck_through(make_bundle: MakeBundle) -> None:
    seen = report(Classifier(make_bundle(max_tokens=4)), "good film very bad it is")
    assert '<del title="not read">very bad</del>' in page(seen)
    assert "too long" in shown(seen)


@pytest.mark.parametrize("text", [TEXT, "<script>alert(1)</script> bad", "½good … &amp; ﬁlm", "رائع good"])
def test_a_page_shows_the_text_and_runs_nothing(tiny_classifier: Classifier, text: str) -> None:
    document = page(report(tiny_classifier, text))
    words = re.search(r'<p class="words"[^>]*>(.*?)</p>', document, re.DOTALL)
    assert words
    assert html_entities.unescape(re.sub("<[^>]*>", "", words[1])) == text
    assert not {"script", "link", "img", "b"} & set(re.findall(r"<(\w+)", document))
    assert "http" not in document
    assert html_entities.escape(text.split()[0]) in document


def test_a_picture_is_written_in_the_format_of_its_suffix(seen: Report, tmp_path: Path) -> None:
    draw(seen, tmp_path / "seen.png")
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")
    draw(seen, tmp_path / "seen.svg")
    assert "<svg" in (tmp_path / "seen.svg").read_text()
    with pytest.raises(ConfigError, match="a picture's suffix is one of .*png.*svg"):
        draw(seen, tmp_path / "seen.docx")
