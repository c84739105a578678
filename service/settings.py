"""Everything that can be set, read once from the environment and checked before the first request."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import Self

from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError

CGROUP_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


class EnvironmentSettings(BaseSettings):
    """Base of both: frozen, an empty variable is an unset one, errors in one line."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    @classmethod
    def read(cls) -> Self:
        """The settings of the environment. Raises ConfigError naming each variable at fault and its value."""
        try:
            return cls()
        except ValidationError as error:
            prefix = cls.model_config.get("env_prefix", "")
            faults = "; ".join(
                f"{prefix}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}, not {fault['input']!r:.80}"
                for fault in error.errors()
            )
            raise ConfigError(faults) from None


class ServiceSettings(EnvironmentSettings):
    """What the app answers with, and how much it takes: SENTIMENT_MODEL, SENTIMENT_MAX_BODY_BYTES and so on."""

    model_config = SettingsConfigDict(env_prefix="SENTIMENT_")

    model: Path = DEFAULT_MODEL
    models: Path | None = None  # a folder of model folders, one of them `default`, instead of the one model
    api_keys_file: Path | None = None  # without it everybody may ask: see service/auth.py
    rate_limit: str | None = None  # of each key, or of each address: "100 per second"
    redis_url: str | None = None  # where all workers count together
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ()  # with spaces between
    max_body_bytes: Count = 1 << 20
    max_texts_per_request: Count = 1000
    max_characters_per_text: Count = 200_000  # a novella; what the model itself can't read in full, it says
    max_texts_per_explanation: Count = 16  # explaining takes up to 40 times as long as predicting
    max_tokens_per_explanation: Count = 1024  # of all its texts
    max_tokens_per_trace: Count = 256  # its time grows with the square of the tokens
    max_waiting_texts: Count = 2000  # of all requests of a worker, in the queue and being computed
    max_batch_tokens: Count = 8192
    request_timeout_seconds: Seconds = 30.0
    max_batch_seconds: Seconds = 10.0  # a batch that takes longer is stuck, and its worker is replaced
    drain_seconds: Annotated[float, Field(ge=0, le=20)] = 2.0  # not ready, still accepting: time to be taken off duty

    @classmethod
    def read(cls) -> Self:
        """As of all settings. Raises ConfigError too where two of them name what serves."""
        settings = super().read()
        if {"model", "models"} <= settings.model_fields_set:
            raise ConfigError(
                "SENTIMENT_MODEL and SENTIMENT_MODELS are both set: unset SENTIMENT_MODEL to serve the folder of "
                "models, SENTIMENT_MODELS to serve the one"
            )
        return settings


def available_cores(quota_file: Path = CGROUP_CPU_QUOTA) -> int:
    """How many cores this process may use, at least 1: a container's quota is not what os.cpu_count() says."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


class ServerSettings(EnvironmentSettings):
    """Where gunicorn listens and with how many workers and threads: HOST, PORT, WORKERS, THREADS."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Count = Field(default_factory=available_cores)
    threads: Count = 160  # requests a worker has in hand; one that comes while they all are busy is refused at once

    @property
    def bind(self) -> str:
        """The address as gunicorn writes it: an IPv6 one stands in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def torch_threads(self) -> int:
        """Cores for the model of each worker: more threads than cores is slower than fewer."""
        return max(1, available_cores() // self.workers)
