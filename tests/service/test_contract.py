"""schemathesis over the document, every check, on a real gunicorn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import ClosedServer, Server

EXAMPLES = "5"  # by hand: hundreds
# 413, too: a text that is too long can make a body that is too large.
REFUSED = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]

pytestmark = pytest.mark.slow


def test_schemathesis_finds_no_failure(server: Server, tmp_path: Path) -> None:
    check(server, tmp_path)


def test_schemathesis_finds_no_failure_where_keys_are_on(closed_server: ClosedServer, tmp_path: Path) -> None:
    # Not by --header, which the tool sends even where it means to leave it out.
    (tmp_path / "schemathesis.toml").write_text(f'[auth.openapi.key]\nbearer = "{closed_server.key}"\n')
    check(closed_server.server, tmp_path)


def check(server: Server, folder: Path) -> None:
    """Run schemathesis in this folder, where it finds its settings and leaves its own files."""
    with (folder / "schemathesis.toml").open("a") as settings:
        settings.write(f"[checks.negative_data_rejection]\nexpected-statuses = {REFUSED}\n")
    tool = Path(sys.executable).with_name("schemathesis")
    seen = subprocess.run(
        [tool, "run", f"{server.url}/openapi.json", "--checks", "all", "--max-examples", EXAMPLES, "--no-color",
         "--generation-database", "none", "--seed", "1"],
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "Tested: 21" in seen.stdout
