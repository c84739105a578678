"""Check the files of the page at the root; test_page.py tests its behaviour."""

import re

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from service.app import create_app
from service.routes.pages import MEDIA_TYPES, PAGES
from service.settings import ServiceSettings


def test_the_page_has_no_script_style_or_address_of_its_own(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.content_type == "text/html; charset=utf-8"
    assert re.findall(r"<script[^>]*>", page.text) == ['<script type="module" src="static/page.js">']
    assert "<style" not in page.text
    assert not re.search(r"\s(style|on\w+)=|https?:|//", page.text.replace("</", ""))
    for name in re.findall(r'(?:src|href)="(static/[^"]+)"', page.text):
        assert client.get(f"/{name}").status_code == 200


def test_the_page_knows_the_limits(tiny_classifier: Classifier) -> None:
    settings = ServiceSettings(max_texts_per_request=7, max_characters_per_text=9, max_tokens_per_trace=11)
    page = create_app(settings, tiny_classifier).test_client().get("/").text
    assert 'data-max-texts="7"' in page
    assert 'data-max-characters="9"' in page
    assert 'data-max-traced-tokens="11"' in page
    assert 'data-keys="false"' in page
    assert "API key" not in page


@pytest.mark.parametrize("name", sorted(path.name for path in (PAGES / "static").iterdir()))
def test_what_it_is_made_of_asks_for_nothing_else(client: FlaskClient, name: str) -> None:
    response = client.get(f"/static/{name}")
    assert response.status_code == 200
    assert response.content_type in MEDIA_TYPES.values()
    code = response.text.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b", code)
    for module in re.findall(r'from "\./([^"]+)"', code):
        assert client.get(f"/static/{module}").content_type == MEDIA_TYPES[".js"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fdocs.html", "page.html", ".", "page.js%00"])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    response = client.get(f"/static/{name}")
    assert response.status_code == 404
    assert response.get_json()["type"] == "urn:sentiment:problem:not-found"
