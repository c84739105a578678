import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sentiment.classifier import load
from sentiment.cli import app

Write = Callable[[Path, int], Path]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, write_reviews: Write) -> tuple[Path, list[dict[str, Any]]]:
    """The model folder that `sentiment train --json` wrote, and the events that it printed: no other line."""
    folder = tmp_path_factory.mktemp("events")
    data = write_reviews(folder / "reviews.csv", 60)
    dev = write_reviews(folder / "dev.csv", 20)
    command = ["train", data, "--dev", dev, "--out", folder / "model", "--epochs", "2", "--hidden-size", "4", "--json"]
    done = CliRunner().invoke(app, [*map(str, command)])
    assert (done.exit_code, done.stderr) == (0, "")
    return folder / "model", [json.loads(line) for line in done.stdout.splitlines()]


def test_the_events_in_order(trained: tuple[Path, list[dict[str, Any]]]) -> None:
    model, events = trained
    names = [event["event"] for event in events]
    assert (names[0], names[-2:], names.count("epoch")) == ("start", ["epoch", "done"], 2)
    assert set(names[1:-2]) <= {"progress", "epoch"}
    start = events[0]
    assert (start["name"], start["labels"], start["epochs"], start["steps_done"]) == (
        "model",
        ["negative", "positive"],
        2,
        0,
    )
    assert (start["rows"], start["dev_rows"], start["parameters"]) == (60, 20, load(model).num_parameters)


def test_an_epoch_has_its_score_and_the_end_what_came_of_it(trained: tuple[Path, list[dict[str, Any]]]) -> None:
    model, events = trained
    epochs = [event for event in events if event["event"] == "epoch"]
    assert [(event["epoch"], event["step"]) for event in epochs] == [(n, epochs[0]["steps"]) for n in (1, 2)]
    assert all(event["loss"] > 0 and event["tokens_per_second"] > 0 for event in epochs)
    assert all("dev_score" not in event for event in events if event["event"] == "progress")
    classifier, done = load(model), events[-1]
    assert (done["path"], done["version"]) == (str(model), classifier.version)
    assert done["dev_score"] == max(event["dev_score"] for event in epochs)
    assert done["dev"] == classifier.metrics["dev"]
