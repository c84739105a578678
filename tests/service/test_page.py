"""The page at the root in a real browser, over a real gunicorn: every control, every theme, and what goes wrong."""

import csv
import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sentiment.classifier import Classifier, load
from tests.service import faults
from tests.service.conftest import WAIT_SECONDS, ClosedServer, Server, StartServer

sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here: pip install -r requirements-dev.txt")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe here: requirements-dev.txt")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("no chromium here: apt-get install chromium", allow_module_level=True)

# The flags keep the browser from calling home; --no-sandbox because tests may run as root.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
SEEN = [("light", 360), ("dark", 360), ("light", 1280), ("dark", 1280)]
# One walk through the page is quick enough for every run; those that repeat it are for the slow tier.
ONE_QUICK = [pytest.param(*seen, marks=[] if seen == ("dark", 360) else [pytest.mark.slow]) for seen in SEEN]
SAY_VIOLATIONS = "addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective));"
TEXT = "A great film! 😀 It was not very good & boring. Zyzzyva."
expect = sync_api.expect
expect.set_options(timeout=1000 * WAIT_SECONDS)
csv.field_size_limit(1_000_000)

OpenPage = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=1000 * WAIT_SECONDS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, server: Server) -> Iterator[OpenPage]:
    """Opens the page, of the shared server or of another. At the test's end the console must be empty."""
    complaints: list[str] = []
    contexts = []

    def open_page(url: str = "", theme: str = "light", width: int = 1280, expected: str = "$.") -> Any:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        context.set_default_timeout(1000 * WAIT_SECONDS)
        context.add_init_script(SAY_VIOLATIONS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda said: None if re.search(expected, said.text) else complaints.append(f"{said.type}: {said.text}"),
        )
        page.goto(f"{url or server.url}/")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def field(page: Any, name: str = "Text") -> Any:
    return page.get_by_label(name, exact=True)


def panel(page: Any) -> Any:
    """The part of the page that is about the first text."""
    return page.locator(".panel").first


def ask(page: Any, text: str) -> None:
    """Types the text, and waits until all there is to say about it is on the page."""
    field(page).fill(text)
    expect(panel(page).locator(".words")).to_have_text(text)
    expect(panel(page).locator(".running svg")).to_be_visible()


def assert_accessible(page: Any) -> None:
    found = axe.Axe().run(page).response
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found["violations"]] == []


def assert_fits(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.slow
def test_what_is_first_painted_weighs_less_than_100_kb_and_is_all_from_here(browser: Any, server: Server) -> None:
    page = browser.new_page()
    bodies: dict[str, int] = {}
    page.on("response", lambda response: bodies.update({response.url: len(response.body())}))
    page.goto(f"{server.url}/", wait_until="networkidle")
    assert all(url.startswith(server.url) for url in bodies)
    assert f"{server.url}/static/charts.js" in bodies
    assert sum(bodies.values()) < 100_000
    page.close()


@pytest.mark.parametrize(("theme", "width"), ONE_QUICK)
def test_one_text(open_page: OpenPage, tiny_classifier: Classifier, theme: str, width: int) -> None:
    page = open_page(theme=theme, width=width)
    assert_accessible(page)
    ask(page, TEXT)
    [prediction] = tiny_classifier.predict([TEXT])
    [view] = tiny_classifier.read_sentences([TEXT])
    [explanation] = tiny_classifier.explain([TEXT])
    share = f"{100 * prediction.probabilities[prediction.label]:.1f} %"
    expect(panel(page).locator(".verdict .label")).to_have_text(f"{prediction.label}{share}")
    expect(panel(page).locator(".verdict .said")).to_have_text(f"{prediction.label}, {share}")
    unknown = prediction.unknown_tokens
    expect(panel(page).locator(".verdict")).to_contain_text(f"{unknown} of {prediction.tokens} tokens are unknown")
    expect(panel(page).locator(".sentences .sentence")).to_have_text(
        [TEXT[sentence.start : sentence.end].strip() for sentence in view.sentences]
    )
    expect(panel(page).locator(".words .word")).to_have_text([token.text for token in explanation.tokens])
    expect(panel(page).locator(".words .unknown")).to_have_count(unknown)
    expect(page.locator("svg")).to_have_count(3)
    assert panel(page).locator(".walk tbody tr").count() == len(tiny_classifier.trace(TEXT).shapes)
    expect(page.locator("#about")).to_contain_text(tiny_classifier.version)
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.slow
def test_every_control_of_one_text(open_page: OpenPage, tiny_classifier: Classifier) -> None:
    page = open_page()
    for name in ("Not bad", "A turn", "Mixed"):
        panel(page).get_by_role("button", name=name).click()
        expect(panel(page).locator(".verdict .label")).to_be_visible()
        panel(page).get_by_role("button", name="Clear").click()
        expect(panel(page).locator(".answer")).to_be_hidden()
        expect(field(page)).to_be_focused()
    ask(page, TEXT)
    [explanation] = tiny_classifier.explain([TEXT])
    heaviest = max(explanation.tokens, key=lambda token: abs(token.weight))
    expect(panel(page).locator(".chosen-word")).to_have_text(heaviest.text)
    panel(page).locator(".words .word", has_text="film").hover()
    expect(panel(page).locator(".chosen-word")).to_have_text("film")
    slider = page.get_by_label("Word by word").first
    slider.focus()
    page.keyboard.press("Home")
    expect(panel(page).locator(".chosen-word")).to_have_text("A")
    expect(slider).to_have_attribute("aria-valuetext", re.compile(r"A: [+−][\d.]+ .*forward: keeps 0\.\d\d, writes"))
    page.keyboard.press("ArrowRight")
    expect(panel(page).locator(".words .chosen")).to_have_text("great")
    panel(page).locator(".running svg").hover(position={"x": 1000, "y": 50}, force=True)
    gates = panel(page).get_by_label("Direction of reading")
    before = panel(page).locator(".gates polyline").first.get_attribute("points")
    gates.select_option("backward")
    expect(panel(page).locator(".gates polyline").first).not_to_have_attribute("points", before)
    panel(page).locator(".running .numbers summary").click()
    trace = tiny_classifier.trace(TEXT)
    expect(panel(page).locator(".running tbody tr")).to_have_count(len(trace.tokens))
    expect(panel(page).locator(".running tbody tr").first).to_contain_text(
        f"{100 * trace.running['negative'][0]:.0f} %"
    )
    page.get_by_text("Model card").click()
    expect(page.locator(".model-card")).to_contain_text("A model for the tests.")
    panel(page).get_by_text("Inside the LSTM").click()
    expect(panel(page).locator(".gates svg").first).to_be_hidden()
    assert_accessible(page)


@pytest.mark.slow
def test_a_reload_keeps_the_draft_and_asks_again(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, TEXT)
    page.reload()
    expect(field(page)).to_have_value(TEXT)
    expect(panel(page).locator(".verdict .label")).to_be_visible()


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "width"), SEEN)
def test_two_texts(open_page: OpenPage, tiny_classifier: Classifier, theme: str, width: int) -> None:
    page = open_page(theme=theme, width=width)
    texts = ["A great film, it is good", "A great film, it is not boring"]
    page.get_by_text("Two texts").click()
    field(page).fill(texts[0])
    field(page, "Second text").fill(texts[1])
    expect(page.locator(".changed bdi")).to_have_text(["good", "not", "boring"])
    one, two = tiny_classifier.predict(texts)
    for row, label in zip(page.locator("#changes tbody tr").all(), tiny_classifier.labels, strict=True):
        before, after = 100 * one.probabilities[label], 100 * two.probabilities[label]
        sign = "▼ −" if after - before < 0 else "▲ +"
        expected = [f"{before:.1f} %", f"{after:.1f} %", f"{sign}{abs(after - before):.1f} points"]
        expect(row.locator("td")).to_have_text(expected)
    expect(page.locator("svg")).to_have_count(6)
    assert_fits(page)
    assert_accessible(page)


@pytest.mark.slow
@pytest.mark.parametrize(("theme", "width"), SEEN)
def test_many_lines(open_page: OpenPage, tiny_classifier: Classifier, theme: str, width: int) -> None:
    page = open_page(theme=theme, width=width)
    page.get_by_text("Many texts").click()
    page.get_by_role("button", name="Score").click()
    expect(page.locator("#progress")).to_have_text("There is no text yet.")
    texts = ["good film", "=1+1, bad", '<b>"great"</b>'] * 5  # more than one request
    page.get_by_label("Texts, one a line").fill("\n\n".join(texts) + "\n")
    page.get_by_role("button", name="Score").click()
    expect(page.locator("#progress")).to_have_text("15 scored.")
    expect(page.locator("#scored tbody td:first-child")).to_have_text(texts)
    labels = [prediction.label for prediction in tiny_classifier.predict(texts)]
    expect(page.locator("#scored tbody td:nth-child(2)")).to_have_text(labels)
    assert_fits(page)
    assert_accessible(page)
    rows = downloaded(page)
    assert [row["label"] for row in rows] == labels
    assert rows[1]["text"] == "'=1+1, bad"  # not a formula
    assert rows[2]["text"] == texts[2]
    expected = tiny_classifier.predict(texts)[0].probabilities["positive"]
    assert float(rows[0]["probability_positive"]) == pytest.approx(expected, abs=1e-6)


def downloaded(page: Any) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    return list(csv.DictReader(io.StringIO(Path(download.value.path()).read_bytes().decode(), newline="")))


@pytest.mark.slow
def test_a_chosen_and_a_dropped_file(open_page: OpenPage) -> None:
    page = open_page(expected="status of 422")
    page.get_by_text("Many texts").click()
    table = f'id;review\r\n1;"good; ""very""\r\nfilm"\r\n2;{"bad " * 40_000}\r\n3;okay\r\n'
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": table.encode()})
    expect(page.locator("#progress")).to_have_text("a.csv: 3 rows.")
    assert page.get_by_label("Column with the text").input_value() == "1"
    page.get_by_role("button", name="Score").click()
    expect(page.locator("#progress")).to_have_text("2 scored, 1 refused.")
    rows = downloaded(page)
    assert [row["text"][:4] for row in rows] == ["good", "bad ", "okay"]
    assert rows[0]["text"] == 'good; "very"\r\nfilm'
    assert [row["refused"] for row in rows] == ["", "has 160000 characters; the limit is 150000", ""]
    drop = """(name, content) => {
      const data = new DataTransfer();
      data.items.add(new File([content], name));
      for (const kind of ["dragover", "drop"]) {
        document.querySelector("#drop").dispatchEvent(new DragEvent(kind, { dataTransfer: data, cancelable: true }));
      }
    }"""
    page.evaluate(f"([name, content]) => ({drop})(name, content)", ["b.txt", "good\nbad"])
    expect(page.get_by_label("Texts, one a line")).to_have_value("good\nbad")
    expect(page.locator("#column-choice")).to_be_hidden()
    page.locator("#file").set_input_files({"name": "c.csv", "mimeType": "text/csv", "buffer": b"\xff\xfe"})
    expect(page.locator("#progress")).to_have_text("The file is not UTF-8: save it as UTF-8 and drop it again.")


@pytest.mark.slow
def test_markup_in_a_text_stays_text(open_page: OpenPage) -> None:
    page = open_page()
    text = "<script>document.title = 'bad'</script> <img src=x onerror=alert(1)> good. &lt;b&gt; film."
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    field(page).fill(text)
    expect(panel(page).locator(".words")).to_have_text(text)
    expect(panel(page).locator(".running svg")).to_be_visible()
    assert page.title() == "Sentiment"
    assert page.locator("main script, main img").count() == 0


@pytest.mark.slow
def test_a_text_from_right_to_left(open_page: OpenPage) -> None:
    page = open_page()
    ask(page, "فيلم رائع good")
    for place in ("textarea", ".words"):
        assert panel(page).locator(place).evaluate("(e) => getComputedStyle(e).direction") == "rtl"
    assert_accessible(page)


@pytest.mark.slow
def test_typing_asks_once_when_it_pauses(open_page: OpenPage) -> None:
    page = open_page()
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    field(page).press_sequentially("a great film")
    page.clock.run_for(300)
    field(page).press_sequentially(" and it is not bad at all !!")
    page.clock.run_for(300)
    assert asked == []
    page.clock.run_for(100)
    expect(panel(page).locator(".running svg")).to_be_visible()
    assert [url.rpartition("/")[2] for url in asked] == ["predict", "explain", "trace"]
    assert panel(page).locator(".words").text_content() == "a great film and it is not bad at all !!"


@pytest.mark.slow
def test_late_answers_are_dropped(open_page: OpenPage) -> None:
    page = open_page()
    held: list[Any] = []

    def hold(route: Any) -> None:
        if "awful" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/v1/*", hold)
    # A fetch that can't be stopped: what comes late is told apart by the page itself. The answers read are counted.
    page.evaluate("""() => {
      const ask = fetch;
      let read = 0;
      window.fetch = async (path, { signal, ...rest }) => {
        const response = await ask(path, rest);
        const json = response.json.bind(response);
        response.json = () => json().finally(() => setTimeout(() => (document.body.dataset.read = ++read)));
        return response;
      };
    }""")
    with page.expect_request("**/v1/predict"):
        field(page).fill("awful")
    ask(page, "good film")
    shown = panel(page).locator(".answer").inner_text()
    read = page.locator("body")
    expect(read).to_have_attribute("data-read", "3")  # of the newer text: prediction, explanation, trace
    held[0].continue_()
    expect(read).to_have_attribute("data-read", "4")
    assert panel(page).locator(".answer").inner_text() == shown
    assert len(held) == 1


@pytest.mark.slow
def test_page_retries_after_503(start_server: StartServer, open_page: OpenPage) -> None:
    busy = start_server(faults.APP, SENTIMENT_MAX_WAITING_TEXTS="1", SENTIMENT_MAX_BATCH_SECONDS="600")
    busy.wait_until_ready()
    blocker = open_page(busy.url, expected="status of 50")
    field(blocker).fill(faults.WAITS)
    while not busy.get("/test/state").json()["waiting"]:
        blocker.wait_for_timeout(50)
    page = open_page(busy.url, expected="status of 503")
    asked: list[Any] = []

    def hold_the_second(route: Any) -> None:  # or the page might give up while it is looked at
        asked.append(route)
        if len(asked) != 2:
            route.continue_()

    page.route("**/v1/predict", hold_the_second)
    field(page).fill(TEXT.replace("boring", "bad"))
    message = panel(page).locator(".message")
    expect(message).to_contain_text("The service is busy. Your text is kept; retrying in 1 s.")
    assert field(page).input_value() == TEXT.replace("boring", "bad")
    assert_accessible(page)
    while len(asked) < 2:  # it has asked again by itself
        page.wait_for_timeout(50)
    busy.get("/test/open")
    asked[1].continue_()
    expect(panel(page).locator(".verdict .label")).to_be_visible()
    expect(message).to_be_hidden()


@pytest.mark.slow
def test_a_model_that_answers_with_a_number(start_server: StartServer, open_page: OpenPage, value_bundle: Path) -> None:
    server = start_server(SENTIMENT_MODEL=str(value_bundle)).wait_until_ready()
    regressor = load(value_bundle, task="regression")
    values = [f"{each.value:#.4g}" for each in regressor.predict(["A great film!", "Not bad."])]
    page = open_page(server.url, expected="status of 422")
    field(page).fill("A great film!")
    expect(panel(page).locator(".verdict .label")).to_have_text(values[0])
    expect(panel(page).locator(".words")).to_be_hidden()
    expect(panel(page).locator(".inside")).to_be_hidden()
    assert_accessible(page)
    page.get_by_label("Two texts").check()
    field(page, "Second text").fill("Not bad.")
    expect(page.locator(".panel").nth(1).locator(".verdict .label")).to_have_text(values[1])
    expect(page.locator("#changes")).to_be_hidden()
    page.get_by_label("Many texts").check()
    page.locator("#lines").fill("A great film!\nNot bad.")
    page.locator("#score").click()
    expect(page.locator("#scored th")).to_have_text(["text", "value"])
    expect(page.locator("#scored td")).to_have_text(["A great film!", values[0], "Not bad.", values[1]])
    expect(page.locator("#about")).to_contain_text("none (regression)")


@pytest.mark.slow
def test_page_resumes_after_being_offline(open_page: OpenPage) -> None:
    page = open_page(expected="ERR_INTERNET_DISCONNECTED")
    ask(page, "good film")
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_have_text(
        "You are offline. Your text is kept and sent when you are back online."
    )
    field(page).fill("bad film")
    expect(panel(page).locator(".message")).to_contain_text("The service can't be reached. Your text is kept.")
    assert field(page).input_value() == "bad film"
    assert_accessible(page)
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_hidden()
    expect(panel(page).locator(".words")).to_have_text("bad film")
    expect(panel(page).locator(".message")).to_be_hidden()


@pytest.mark.slow
def test_page_names_the_limit_of_a_long_text(open_page: OpenPage) -> None:
    page = open_page()
    field(page).fill("good " * 30_001)
    expect(panel(page).locator(".message")).to_have_text(re.compile("has 150005 characters; the limit is 150000"))
    field(page).fill("good " * 300)
    expect(panel(page).locator(".words .word")).to_have_count(300)
    expect(panel(page).locator(".running-part")).to_be_hidden()
    field(page).fill("good " * 1100)
    expect(panel(page).locator(".legend")).to_contain_text("1024 tokens")


@pytest.mark.slow
def test_page_asks_for_a_key(closed_server: ClosedServer, open_page: OpenPage) -> None:
    page = open_page(closed_server.server.url, expected="status of 401")
    field(page).fill("good film")
    expect(panel(page).locator(".message")).to_contain_text("This service needs an API key: enter one above.")
    assert_accessible(page)
    page.get_by_label("API key").fill(closed_server.key)
    page.keyboard.press("Enter")
    expect(panel(page).locator(".words")).to_have_text("good film")
    expect(page.locator("#about")).to_contain_text("tiny")
    assert field(page).input_value() == "good film"


@pytest.mark.slow
def test_a_keyboard_is_enough(open_page: OpenPage) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the text")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(page.get_by_label("One text")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Second text")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_label("Texts, one a line")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.type("good\nbad")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#progress")).to_have_text("2 scored.")
