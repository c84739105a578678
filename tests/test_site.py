"""The documentation as a site: built without a warning, read in a real browser, asking no other host for anything."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[gone](gone.md)", "'gone.md', but the target is not found"),
        ("[gone](other.md#gone)", "does not contain an anchor '#gone'"),
        ("[gone](../sentiment/gone.py)", "index.md links to ../sentiment/gone.py, which does not exist"),
    ],
)
def test_a_link_to_nowhere_stops_the_build(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\n{text}\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n[here](../here.txt)\n")
    (tmp_path / "here.txt").touch()
    cut = re.compile(r"^(theme|nav|extra|plugins):.*?(?=^\w)", re.MULTILINE | re.DOTALL)
    settings = cut.sub("", (ROOT / "mkdocs.yml").read_text())
    (tmp_path / "mkdocs.yml").write_text(settings.replace("reference/", f"{ROOT}/reference/"))
    done = build(tmp_path / "site", tmp_path)
    assert done.returncode != 0
    assert complaint in done.stderr
    (tmp_path / "docs" / "index.md").write_text("# Home\n")
    assert build(tmp_path / "site", tmp_path).returncode == 0
    assert "<code>here.txt</code>" in (tmp_path / "site" / "other.html").read_text()


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium")
@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_fits_and_says_nothing_on_the_console(site: Path, address: str, width: int) -> None:
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright here: requirements-dev.txt")
    complaints: list[str] = []
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page: Any = browser.new_page(viewport={"width": width, "height": 800})
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("request", lambda request: asked.append(request.url))
        for name in pages_of(site):
            assert page.goto(f"{address}/{name}").status == 200
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
