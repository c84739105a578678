import hashlib
import re
import runpy
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from sentiment.classifier import Classifier
from sentiment.errors import ConfigError
from service.access import api_keys
from service.app import create_app
from service.settings import ServiceSettings
from tests.conftest import message_of
from tests.service.conftest import ROOT

ALL = {"predictor": ["predict"], "monitor": ["metrics"], "boss": ["predict", "metrics", "admin"]}


@pytest.fixture(scope="module")
def made() -> dict[str, tuple[str, str]]:
    return {key_id: api_keys.make(key_id, scopes) for key_id, scopes in ALL.items()}


@pytest.fixture
def closed(tmp_path: Path, tiny_classifier: Classifier, made: dict[str, tuple[str, str]]) -> FlaskClient:
    file = tmp_path / "keys"
    file.write_text("# who may come in\n\n" + "\n".join(line for _, line in made.values()))
    return create_app(ServiceSettings(api_keys_file=file), tiny_classifier).test_client()


@pytest.mark.parametrize("part", [slice(None, 2), slice(-2, None)], ids=["beginning", "end"])
def test_a_key_that_shares_a_part_of_a_digest_is_refused(
    closed: FlaskClient, made: dict[str, tuple[str, str]], part: slice
) -> None:
    digest = hashlib.sha256(made["boss"][0].encode()).digest()
    other = next(key for key in map(str, count()) if hashlib.sha256(key.encode()).digest()[part] == digest[part])
    assert closed.get("/metrics", headers={"Authorization": f"Bearer {other}"}).status_code == 401


@pytest.mark.parametrize("key_id", [*ALL, None])
@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/predict", "predict"), ("POST", "/v1/models/x/predict", "predict"),
        ("POST", "/v1/explain", "predict"), ("POST", "/v1/trace", "predict"),
        ("GET", "/v1/models", "predict"), ("GET", "/v1/models/default", "predict"),
        ("GET", "/v2/models/default", "predict"), ("POST", "/v2/models/default/infer", "predict"),
        ("HEAD", "/v1/models", "predict"), ("GET", "/metrics", "metrics"),
    ],
)  # fmt: skip
def test_a_key_opens_what_its_scopes_say(
    closed: FlaskClient, made: dict[str, tuple[str, str]], key_id: str | None, method: str, path: str, scope: str
) -> None:
    headers = {"Authorization": f"Bearer {made[key_id][0]}"} if key_id else {}
    response = closed.open(path, method=method, headers=headers)
    if key_id is None:
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"] == 'Bearer realm="sentiment"'
        assert method == "HEAD" or response.get_json()["type"] == "urn:sentiment:problem:unauthorized"
        assert method == "HEAD" or response.get_json()["detail"].startswith("Send a key of this service as ")
    elif scope not in ALL[key_id]:
        assert response.status_code == 403
        assert method == "HEAD" or response.get_json()["detail"] == f"This key lacks the scope {scope}."
    else:
        assert response.status_code in (200, 400, 404, 415)


@pytest.mark.parametrize(
    "path", ["/health/live", "/health/ready", "/v2", "/v2/health/live", "/v2/health/ready", "/openapi.json", "/docs"]
)
def test_health_and_the_document_are_open(closed: FlaskClient, path: str) -> None:
    assert closed.get(path).status_code == 200


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "bearer \u00fc", "{digest}", "{key}", "Bearer {key}x"]
)
def test_anything_else_is_no_key(closed: FlaskClient, made: dict[str, tuple[str, str]], header: str) -> None:
    key, line = made["boss"]
    header = header.format(key=key, digest=f"Bearer {line.split()[2]}")
    assert closed.get("/v1/models", headers={"Authorization": header}).status_code == 401


def test_without_keys_all_but_admin_is_open(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 200
    refused = client.post("/admin/reload")
    assert (refused.status_code, refused.get_json()["detail"]) == (
        401, "This service has no keys, and this is for one with the scope admin: set SENTIMENT_API_KEYS_FILE."
    )  # fmt: skip


def test_a_key_is_known_by_its_digest_alone() -> None:
    key, line = api_keys.make("a", ["predict"])
    assert key not in line
    assert line == f"a predict {hashlib.sha256(key.encode()).hexdigest()}"
    assert len(key) == 43  # 256 bits


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("secret", "line 1 of "),
        ("\na predict,other " + "0" * 64, "line 2 of "),
        ("a predict " + "0" * 63, "line 1 of "),
        (("a predict " + "0" * 64 + "\n") * 2, "line 2 of "),
        ("# none\n", "holds no key"),
        (None, "can't be read: FileNotFoundError"),
    ],
)
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "keys").write_text(content)
    said = message_of(ConfigError, lambda: api_keys.read_keys(tmp_path / "keys"))
    assert words in said
    assert "secret" not in said


def test_the_command_makes_a_key() -> None:
    command = [sys.executable, "-m", "service.access.api_keys", "a", "predict", "metrics"]
    seen = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"key:  [\w-]{43}\nline: a predict,metrics [0-9a-f]{64}\n", seen.stdout)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a", "x"], "usage: python -m service.access.api_keys ID SCOPE..., of "),
        (["a"], "usage: python -m service.access.api_keys ID SCOPE..., of "),
        *(
            ([key_id, "predict"], f"an id is [A-Za-z0-9][A-Za-z0-9._-]{{0,63}}, not {key_id!r}")
            for key_id in ("my backend", "", "#a", "a" * 65)
        ),
    ],
)
def test_the_command_makes_no_key_that_the_file_could_not_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    monkeypatch.setattr(sys, "argv", [str(api_keys.__file__), *arguments])
    with pytest.raises(SystemExit) as error:
        runpy.run_path(str(api_keys.__file__), run_name="__main__")
    assert str(error.value.code).startswith(words)
    assert capsys.readouterr().out == ""
