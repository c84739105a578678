"""The documentation as a site: built without a warning, read in a real browser, asking no other host for anything."""

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html import unescape
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import typer
from mkdocs.exceptions import PluginError

import sentiment
from reference import hook
from sentiment import bundle, cli, manifest
from service.http import problems
from service.settings import ServerSettings, ServiceSettings

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
LOADED = re.compile(r"<(?:script|img|iframe|source)[^>]*\bsrc=\"?([^\"\s>]+)|<link[^>]*\bhref=\"?([^\"\s>]+)")


def build(folder: Path, docs: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=docs, env=environment, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def pages_of(site: Path) -> list[str]:
    return sorted(str(page.relative_to(site)) for page in site.rglob("*.html") if page.name != "404.html")


def test_every_page_of_docs_is_in_it(site: Path) -> None:
    written = {str(page.relative_to(ROOT / "docs").with_suffix(".html")) for page in (ROOT / "docs").rglob("*.md")}
    assert set(pages_of(site)) == written


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    for page in pages_of(site):
        loaded = ["".join(found) for found in LOADED.findall((site / page).read_text())]
        assert any("stylesheets/" in each for each in loaded), page
        assert [each for each in loaded if "//" in each] == [], page


def words_of(page: Path) -> str:
    """Return the text of the page, without its markup."""
    return unescape(re.sub(r"<[^>]+>", "", page.read_text()))


def test_the_commands_are_all_there_with_their_help(site: Path) -> None:
    words = words_of(site / "reference" / "command-line.html")
    for name, command in typer.main.get_command(cli.app).commands.items():  # type: ignore[attr-defined]
        assert f"$ sentiment {name} " in words
        for parameter in command.params:
            assert parameter.help is None or parameter.help.split("`")[0] in words, (name, parameter.name)


def test_the_api_is_all_there(site: Path) -> None:
    page = site / "reference" / "http-api.html"
    document = json.loads((site / "reference" / "openapi.json").read_text())
    words = words_of(page)
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f"{method.upper()} {path}" in words
            assert operation["summary"].split("`")[0] in words
    for name, schema in document["components"]["schemas"].items():
        assert f'id="{name.lower()}"' in page.read_text()
        assert all(field in words for field in schema.get("properties", {}))
    assert f"{problems.OVERLOADED.name} {problems.OVERLOADED.title}" in " ".join(words.split())
    assert "At least 1 items; at most 1000 items; each at least 1 characters" in words


def test_the_settings_are_all_there(site: Path) -> None:
    page = (site / "reference" / "settings.html").read_text()
    fields = [name.upper() for name in ServerSettings.model_fields]
    for name in fields + [f"SENTIMENT_{name.upper()}" for name in ServiceSettings.model_fields]:
        assert f"<td><code>{name}</code></td>" in page
    words = " ".join(words_of(site / "reference" / "settings.html").split())
    assert "SENTIMENT_DRAIN_SECONDS 2.0 at least 0, at most 20 Time after SIGTERM" in words
    assert "SENTIMENT_MODEL default The model folder;" in words


def test_what_is_public_in_python_is_there(site: Path) -> None:
    page = (site / "reference" / "python.html").read_text()
    for name in set(sentiment.__all__) - {"__version__"}:
        assert f'id="sentiment.{name}"' in page
    for answer in (sentiment.Prediction, sentiment.ValuePrediction):
        for field in dataclasses.fields(answer):
            assert f'id="sentiment.{answer.__name__}.{field.name}"' in page
    for way in ("Classifier.predict_steps", "Regressor.predict", "integrations.onnx.OnnxClassifier.predict"):
        assert f'id="sentiment.{way}"' in page


def test_the_files_of_a_model_folder_are_all_there(site: Path) -> None:
    words = words_of(site / "reference" / "bundle-format.html")
    assert all(file in words for file in (*bundle.FILES, manifest.MANIFEST))


def test_a_link_to_nowhere_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Home\n\n[gone](gone.md), [gone](other.md#gone)\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n")
    cut = re.compile(r"^(theme|nav|extra|plugins|hooks):.*?(?=^\w)", re.MULTILINE | re.DOTALL)
    (tmp_path / "mkdocs.yml").write_text(cut.sub("", (ROOT / "mkdocs.yml").read_text()))
    done = build(tmp_path / "site", tmp_path)
    assert done.returncode != 0
    assert "'gone.md', but the target is not found" in done.stderr
    assert "does not contain an anchor '#gone'" in done.stderr


def test_what_the_site_does_not_hold_is_named() -> None:
    page: Any = SimpleNamespace(file=SimpleNamespace(src_uri="reference/some.md"))
    config: Any = SimpleNamespace(docs_dir=str(ROOT / "docs"))

    def filled(text: str) -> str:
        return hook.on_page_markdown(text, page=page, config=config, files=cast(Any, None))

    assert filled("See [it](../../Makefile).") == "See `Makefile`."
    assert filled("See [it](../service.md#keys).") == "See [it](../service.md#keys)."
    with pytest.raises(PluginError, match="^reference/some.md links to ../../gone, which does not exist$"):
        filled("See [it](../../gone).")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
def test_every_page_fits_and_says_nothing_on_the_console(site: Path, address: str) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here: requirements-dev.txt")
    complaints: list[str] = []
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page: Any = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("request", lambda request: asked.append(request.url))
        for name in pages_of(site):
            assert page.goto(f"{address}/{name}").status == 200
            for width in (360, 1280):
                page.set_viewport_size({"width": width, "height": 800})
                page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")  # once it has settled
        browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
