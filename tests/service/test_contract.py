"""schemathesis over the document, every check, on a real gunicorn."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service import auth
from tests.service.conftest import StartServer

EXAMPLES = "5"  # by hand: hundreds


@pytest.mark.parametrize("keys", [False, True], ids=["open", "with keys"])
def test_schemathesis_finds_no_failure(start_server: StartServer, tmp_path: Path, keys: bool) -> None:
    environment = {}
    if keys:
        key, line = auth.make("all", ["predict", "admin", "metrics"])
        (tmp_path / "keys").write_text(line)
        environment["SENTIMENT_API_KEYS_FILE"] = str(tmp_path / "keys")
        # Not by --header, which the tool sends even where it means to leave it out.
        (tmp_path / "schemathesis.toml").write_text(f'[auth.openapi.key]\nbearer = "{key}"\n')
    server = start_server(**environment).wait_until_ready()
    tool = Path(sys.executable).with_name("schemathesis")
    seen = subprocess.run(
        [tool, "run", f"{server.url}/openapi.json", "--checks", "all", "--max-examples", EXAMPLES, "--no-color",
         "--generation-database", "none", "--seed", "1"],
        cwd=tmp_path,  # it leaves a folder of its own
        env=os.environ | {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert seen.returncode == 0, seen.stdout + seen.stderr
    assert "Tested: 22" in seen.stdout
