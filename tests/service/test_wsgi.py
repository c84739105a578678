import subprocess
import sys
from pathlib import Path

import pytest
from gunicorn.errors import AppImportError  # type: ignore[import-untyped]

from service import wsgi

LARGE_BATCH_TWICE = """
import torch
from service import wsgi

def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

wsgi.application()
before = resident_bytes()
for size in (5_000_000, 1_200_000):  # over 4 MiB each; the first would make glibc keep the second
    kept = [torch.ones(size), torch.ones(100)]
    del kept[0]
print(resident_bytes() - before)
"""


def test_what_a_large_batch_took_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch, tiny_bundle: Path) -> None:
    monkeypatch.setenv("SENTIMENT_MODEL", str(tiny_bundle))
    seen = subprocess.run([sys.executable, "-c", LARGE_BATCH_TWICE], capture_output=True, text=True, check=True)
    assert int(seen.stdout) < 2_000_000


def test_a_refused_model_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SENTIMENT_MODEL", str(tmp_path))
    with pytest.raises(AppImportError) as error:
        wsgi.application()
    assert str(error.value) == "model bundle refused: manifest.json: is missing, or is not a regular file"
