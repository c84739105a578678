"""The table of the service's settings, from the settings themselves."""

from pathlib import Path

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from sentiment.default import DEFAULT_MODEL
from service.settings import EnvironmentSettings, ServerSettings, ServiceSettings

SIGNS = ((Ge, "ge", "at least"), (Gt, "gt", "above"), (Le, "le", "at most"), (Lt, "lt", "below"))


def markdown() -> str:
    """Return a row a variable of the environment: its default, its range, what it is for."""
    rows = ["| variable | default | range | meaning |", "| --- | --- | --- | --- |"]
    for settings in (ServerSettings, ServiceSettings):
        rows += [_row(settings, name, field) for name, field in settings.model_fields.items()]
    return "\n".join(rows)


def _row(settings: type[EnvironmentSettings], name: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"{settings.__name__}.{name} has no description")
    variable = f"{settings.model_config.get('env_prefix', '')}{name}".upper()
    return f"| `{variable}` | {_default(field)} | {_range(field)} | {field.description} |"


def _default(field: FieldInfo) -> str:
    default = field.default
    if field.default_factory or default is None or default == ():
        return ""
    if isinstance(default, Path):
        assert default == DEFAULT_MODEL
        return "`default`"
    return f"`{default}`"


def _range(field: FieldInfo) -> str:
    return ", ".join(
        f"{words} {getattr(bound, attribute)}"
        for kind, attribute, words in SIGNS
        for bound in field.metadata
        if isinstance(bound, kind)
    )
