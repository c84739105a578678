from pathlib import Path

import pytest

from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError
from service.settings import ServerSettings, ServiceSettings, available_cores
from tests.conftest import message_of


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "PORT", "WORKERS", "THREADS", "SENTIMENT_MODEL"):
        monkeypatch.delenv(name, raising=False)
    service, server = ServiceSettings.read(), ServerSettings.read()
    assert service.model == DEFAULT_MODEL
    assert service.max_body_bytes == 1_048_576
    assert service.max_texts_per_request == 1000
    assert service.max_characters_per_text == 200_000
    assert (server.bind, server.workers, server.threads) == ("127.0.0.1:8000", available_cores(), 640)


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_MODEL", "/models/other")
    monkeypatch.setenv("SENTIMENT_MAX_TEXTS_PER_REQUEST", "7")
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("HOST", "::1")
    assert ServiceSettings.read().model == Path("/models/other")
    assert ServiceSettings.read().max_texts_per_request == 7
    assert ServerSettings.read().bind == "[::1]:8000"


def test_origins_stand_with_spaces_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_CORS_ORIGINS", "https://a.example  https://b.example")
    assert ServiceSettings.read().cors_origins == ("https://a.example", "https://b.example")


def test_a_bad_value_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_MAX_BODY_BYTES", "0")
    monkeypatch.setenv("SENTIMENT_MAX_TEXTS_PER_REQUEST", "many")
    assert message_of(ConfigError, ServiceSettings.read) == (
        "SENTIMENT_MAX_BODY_BYTES: Input should be greater than or equal to 1, not '0'; "
        "SENTIMENT_MAX_TEXTS_PER_REQUEST: Input should be a valid integer, unable to parse string as an integer, "
        "not 'many'"
    )


def test_one_model_or_a_folder_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_MODEL", "models/default")
    monkeypatch.setenv("SENTIMENT_MODELS", "models")
    assert message_of(ConfigError, ServiceSettings.read) == (
        "SENTIMENT_MODEL and SENTIMENT_MODELS are both set: unset SENTIMENT_MODEL to serve the folder of models, "
        "SENTIMENT_MODELS to serve the one"
    )
    monkeypatch.setenv("SENTIMENT_MODEL", "")
    assert ServiceSettings.read().models == Path("models")


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_is_a_port(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("PORT", port)
    with pytest.raises(ConfigError, match=f"^PORT: .*, not '{port}'$"):
        ServerSettings.read()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        ServiceSettings().max_body_bytes = 5


@pytest.mark.parametrize(
    ("quota", "cores"),
    [("max 100000", None), ("100000 100000", 1), ("50000 100000", 1), ("nonsense", None), (None, None)],
)
def test_a_containers_quota_bounds_the_cores(tmp_path: Path, quota: str | None, cores: int | None) -> None:
    file = tmp_path / "cpu.max"
    if quota is not None:
        file.write_text(quota)
    assert available_cores(file) == (cores or available_cores(tmp_path / "none"))


@pytest.mark.parametrize(("workers", "threads"), [(1, available_cores()), (10_000, 1)])
def test_the_workers_share_the_cores(workers: int, threads: int) -> None:
    assert ServerSettings(workers=workers).torch_threads == threads
