"""Check that the service answers from a copy without what the image leaves out."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from tests.service.conftest import ROOT

LEFT_OUT = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("sentiment/")]
ASK = """
import json, sys
from pathlib import Path
import sentiment
from service.app import create_app
from service.settings import ServiceSettings

client = create_app(ServiceSettings(model=Path(sys.argv[1]))).test_client()
text = {"texts": ["A great film. Not good!"]}
bodies = {"/v1/predict": text | {"sentences": True}, "/v1/explain": text, "/v1/trace": {"text": "A great film."}}
answered = {path: client.post(path, json=body).status_code for path, body in bodies.items()}
answered |= {path: client.get(path).status_code for path in ("/", "/docs", "/metrics", "/health/ready")}
print(json.dumps([sentiment.__file__, answered, "polars" in sys.modules]))
"""


def test_the_service_answers_without_what_the_image_leaves_out(tiny_bundle: Path, tmp_path: Path) -> None:
    assert {"sentiment/training", "sentiment/evaluation", "sentiment/scoring"} <= set(LEFT_OUT)
    for package in ("sentiment", "service"):
        ignored = shutil.ignore_patterns("__pycache__", "models")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    for name in LEFT_OUT:
        path = tmp_path / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    command = [sys.executable, "-c", ASK, str(tiny_bundle)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    library, answered, loads_polars = json.loads(done.stdout)
    assert library == str(tmp_path / "sentiment" / "__init__.py")
    assert set(answered.values()) == {200}, answered
    assert not loads_polars
