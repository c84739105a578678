"""Check the files in deploy/ against the service and their own validators."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from tests.service.conftest import ROOT

DEPLOY = ROOT / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "sentiment.json").read_text())
EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]


def run(*command: str | Path) -> None:
    seen = subprocess.run(command, capture_output=True, text=True, check=False)
    assert seen.returncode == 0, seen.stdout + seen.stderr


def test_dashboard_and_alerts_ask_for_figures_there_are(client: FlaskClient) -> None:
    client.post("/v1/predict", json={"text": "good"}).close()
    text = client.get("/metrics").text
    shown = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    shown |= {f"{name}_total" for name in re.findall(r"# TYPE (\w+)_total counter", text)}
    rules = (DEPLOY / "alerts.yaml").read_text() + "\n".join(EXPRESSIONS)
    asked = set(re.findall(r"\bsentiment_\w+", rules))
    assert len(asked) > 10
    assert asked <= shown | {"sentiment_shed_total"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_prometheus_takes_the_files_and_every_expression(tmp_path: Path) -> None:
    run("promtool", "check", "config", DEPLOY / "prometheus.yaml")
    run("promtool", "test", "rules", DEPLOY / "alerts_test.yaml")
    rules = [
        {"record": f"panel:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(EXPRESSIONS)
    ]
    (tmp_path / "panels.yaml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    run("promtool", "check", "rules", tmp_path / "panels.yaml")


def test_compose_is_of_its_schema() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    run(tool, "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_kubernetes_is_of_its_schema() -> None:
    run(Path(sys.executable).with_name("kubernetes-validate"), "--strict", DEPLOY / "kubernetes.yaml")
