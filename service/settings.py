"""Read the settings from the environment once, and validate them before the first request."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from typing_extensions import Self

from sentiment.default import DEFAULT_MODEL, model_folder
from sentiment.errors import ConfigError

CGROUP_CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def _words(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


class EnvironmentSettings(BaseSettings):
    """Base of the settings: frozen; an empty variable counts as unset; errors take one line."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True)

    @classmethod
    def read(cls) -> Self:
        """Return the settings of the environment. Raises ConfigError naming each variable at fault and its value."""
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
    """Settings of the app: models, access and limits, from SENTIMENT_MODEL, SENTIMENT_MAX_BODY_BYTES and so on."""

    model_config = SettingsConfigDict(env_prefix="SENTIMENT_")

    model: Annotated[Path, BeforeValidator(model_folder)] = Field(
        default=DEFAULT_MODEL, description="The model folder; `default` is the model that comes with the package."
    )
    models: Path | None = Field(
        default=None,
        description="A folder of model folders, one of them `default`; use it instead of SENTIMENT_MODEL.",
    )
    api_keys_file: Path | None = Field(
        default=None, description="File with the digests of the API keys; without it no key is needed."
    )
    rate_limit: str | None = Field(
        default=None,
        description="Rate limit of each key, as `100 per second`. Without keys it is for each peer's address: all "
        "clients behind a proxy share one limit.",
    )
    redis_url: str | None = Field(
        default=None,
        description="Redis server that counts the requests of all workers. Without it, or while it is down, each "
        "worker counts its own.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = Field(
        default=(), description="Origins allowed by CORS, separated by spaces."
    )
    max_body_bytes: Count = Field(default=1 << 20, description="Maximum size of a request, and of a line of NDJSON.")
    max_texts_per_request: Count = Field(default=1000, description="Maximum number of texts of a request.")
    max_characters_per_text: Count = Field(
        default=200_000, description="Maximum length of a text; texts that are too long for the model are truncated."
    )
    max_texts_per_explanation: Count = Field(
        default=16, description="Maximum number of texts to explain: it takes up to 40 times as long as predicting."
    )
    max_tokens_per_explanation: Count = Field(
        default=1024, description="Maximum number of tokens of all texts to explain."
    )
    max_tokens_per_trace: Count = Field(
        default=256, description="Maximum number of tokens to trace, at most 512: the time grows with its square."
    )
    max_waiting_texts: Count = Field(
        default=2000,
        description="Maximum number of texts queued or being computed in a worker; beyond it 503 with Retry-After.",
    )
    max_batch_tokens: Count = Field(default=8192, description="Maximum number of tokens computed together.")
    request_timeout_seconds: Seconds = Field(
        default=30.0, description="Time limit of a request, then 504; its texts still in the queue are never computed."
    )
    max_batch_seconds: Seconds = Field(
        default=10.0, description="Time limit of a batch; a worker whose batch takes longer is replaced."
    )
    drain_seconds: Annotated[float, Field(ge=0, le=20)] = Field(
        default=2.0,
        description="Time after SIGTERM during which the worker reports not ready but still accepts requests.",
    )

    @classmethod
    def read(cls) -> Self:
        """Read the settings. Raises ConfigError, also if SENTIMENT_MODEL and SENTIMENT_MODELS are both set."""
        settings = super().read()
        if {"model", "models"} <= settings.model_fields_set:
            raise ConfigError(
                "SENTIMENT_MODEL and SENTIMENT_MODELS are both set: unset SENTIMENT_MODEL to serve the folder of "
                "models, SENTIMENT_MODELS to serve the one"
            )
        return settings


def available_cores(quota_file: Path = CGROUP_CPU_QUOTA) -> int:
    """Return the number of cores this process may use, at least 1; os.cpu_count() ignores a container's quota."""
    cores = len(os.sched_getaffinity(0))
    try:
        quota, period = quota_file.read_text().split()
    except (OSError, ValueError):
        return cores
    return cores if quota == "max" else max(1, min(cores, int(quota) // int(period)))


class ServerSettings(EnvironmentSettings):
    """Settings of gunicorn: HOST, PORT, WORKERS and THREADS."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        default=8000, description="Port to listen on; 0 takes a free one."
    )
    workers: Count = Field(
        default_factory=available_cores,
        description="Number of worker processes, each with its own model; default: one a core.",
    )
    threads: Count = Field(
        default=640,
        description="Maximum number of model requests in a worker; one more is refused at once, and its client is not "
        "read for a second.",
    )

    @property
    def bind(self) -> str:
        """Return the address in gunicorn's form, IPv6 in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def torch_threads(self) -> int:
        """Return the torch threads of each worker: more threads than cores are slower than fewer."""
        return max(1, available_cores() // self.workers)
