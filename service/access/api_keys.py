"""Check API keys and their scopes; the service stores only each key's SHA-256.

`python -m service.access.api_keys ID SCOPE...` prints a new key and its line for the keys file.
"""

import hashlib
import hmac
import re
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Request

from sentiment.errors import ConfigError
from service.http import openapi
from service.http.openapi import Scope
from service.http.problems import FORBIDDEN, UNAUTHORIZED, Problem
from service.telemetry.requests import Check

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LINE = re.compile(rf"({_ID.pattern})\s+([a-z,]+)\s+([0-9a-f]{{64}})")
_SEND = "Send a key of this service as `Authorization: Bearer <key>`."
_NO_KEYS = "This service has no keys, and this is for one with the scope admin: set SENTIMENT_API_KEYS_FILE."
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="sentiment"'}


@dataclass(frozen=True)
class Key:
    """One key: its id appears in logs and rate limits, and only its digest is stored."""

    id: str
    scopes: frozenset[Scope]
    digest: bytes


def read_keys(file: Path) -> list[Key]:
    """Return the keys of a file: a line each, `id scope,scope sha256`; # starts a comment. Raises ConfigError."""
    try:
        lines = file.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"SENTIMENT_API_KEYS_FILE: {file} can't be read: {type(error).__name__}") from None
    keys: dict[str, Key] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _LINE.fullmatch(line.strip())
        scopes = set(found[2].split(",")) if found else set()
        if not found or not scopes <= {scope.value for scope in Scope} or found[1] in keys:
            # Without the line's own words: it may be a key, put there by mistake.
            raise ConfigError(
                f"SENTIMENT_API_KEYS_FILE: line {number} of {file} must be an id of its own, scopes of "
                f"{','.join(scope.value for scope in Scope)}, and a SHA-256 in hexadecimal"
            )
        keys[found[1]] = Key(found[1], frozenset(map(Scope, scopes)), bytes.fromhex(found[3]))
    if not keys:
        raise ConfigError(f"SENTIMENT_API_KEYS_FILE: {file} holds no key")
    return list(keys.values())


def checker(app: Flask, keys: Sequence[Key]) -> Check:
    """Return a check for a key of the route's scope; without keys, all routes are open but those of the scope admin."""

    def check(request: Request, notes: Any) -> None:
        if request.endpoint is None or request.method == "OPTIONS":  # a browser's preflight carries no key
            return
        described = openapi.of(app, request.endpoint)
        scope = described.scope if described else Scope.ADMIN
        if scope is None or (not keys and not (described and scope is Scope.ADMIN)):
            return
        key = _find(keys, request.headers.get("Authorization", ""))
        if key is None:
            raise Problem(UNAUTHORIZED, _SEND if keys else _NO_KEYS, [], _CHALLENGE)
        notes.key_id = key.id
        if scope not in key.scopes:
            raise Problem(FORBIDDEN, f"This key lacks the scope {scope.value}.")

    return check


def _find(keys: Sequence[Key], header: str) -> Key | None:
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer":
        return None
    digest = _digest(given.strip())
    found = None
    for key in keys:  # to the end, and each in constant time: how long it takes tells nothing
        if hmac.compare_digest(key.digest, digest):
            found = key
    return found


def _digest(key: str) -> bytes:
    # A key is 256 random bits, so a fast hash without salt is as good as a slow one.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def make(key_id: str, scopes: Sequence[str]) -> tuple[str, str]:
    """Return a new key, and its line for the keys file."""
    key = secrets.token_urlsafe(32)
    return key, f"{key_id} {','.join(scopes)} {_digest(key).hex()}"


if __name__ == "__main__":
    _names = [scope.value for scope in Scope]
    if len(sys.argv) < 3 or not set(sys.argv[2:]) <= set(_names):
        sys.exit(f"usage: python -m service.access.api_keys ID SCOPE..., of {' '.join(_names)}")
    if not _ID.fullmatch(sys.argv[1]):
        sys.exit(f"an id is {_ID.pattern}, not {sys.argv[1]!r}")
    _key, _line = make(sys.argv[1], sys.argv[2:])
    print(f"key:  {_key}\nline: {_line}")
