import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from sentiment.errors import ConfigError, SentimentError, TrackingError
from sentiment.training.events import Done, Start
from sentiment.training.loop import Progress
from sentiment.training.tracking.trackers import Tracker, open_trackers

Write = Callable[[Path, int], Path]
SETTINGS = {"model.hidden_size": "4", "model.encoder": '"lstm"', "train rows 1 (a.csv)": "9 rows of sha256 abc"}
DONE = Done(
    "models/toy", "v1", 0.9, 1.25, {"a.csv": {"accuracy": 0.75, "rows": 4, "labels": ["x"], "renormalized": False}}
)


def start(epochs_done: int = 0, settings: dict[str, str] = SETTINGS) -> Start:
    return Start("toy", 9, 4, ("bad", "good"), 100, 3, epochs_done * 2, epochs_done, settings, "float32", {})


def epoch(number: int) -> Progress:
    return Progress(number, 3, 2, 2, 1 / number, 1000.0, 0.0, number / 4)


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Return a run as TensorBoard shows it: each curve's steps and values."""
    events = EventAccumulator(str(folder)).Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}


def runs(address: str) -> list[Any]:
    client = MlflowClient(tracking_uri=address)
    experiment = client.get_experiment_by_name("sentiment")
    assert experiment is not None
    return list(client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"]))


def history(address: str, run: Any, name: str) -> list[tuple[int, float]]:
    found = MlflowClient(tracking_uri=address).get_metric_history(run.info.run_id, name)
    return sorted((metric.step, metric.value) for metric in found)


def follow(name: str, first: Start, epochs: range, done: Done | None = DONE) -> list[str]:
    """The warnings."""
    warnings: list[str] = []
    with open_trackers([name], warnings.append) as [tracker]:
        tracker.start(first)
        for number in epochs:
            tracker.progress(epoch(number))
        if done is not None:
            tracker.done(done)
    return warnings


def sentiment(folder: Path, *arguments: str, before: str = "") -> subprocess.Popen[str]:
    script = f"import sys; {before}from sentiment.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_training_killed_and_gone_on_with_is_one_run_in_both(tmp_path: Path, write_reviews: Write) -> None:
    write_reviews(tmp_path / "reviews.csv", 60)
    stores = ("--track", "tensorboard:runs", "--track", "mlflow:sqlite:///runs.db")
    write_reviews(tmp_path / "dev.csv", 20)
    data = ("reviews.csv", "--dev", "dev.csv")
    command = ("train", *data, "--out", "toy", "--epochs", "3", "--hidden-size", "4", "--json", *stores)
    running = sentiment(tmp_path, *command)
    assert running.stdout is not None
    first = next(event for event in map(json.loads, running.stdout) if event["event"] == "epoch")
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    again = sentiment(tmp_path, *command)
    output, errors = again.communicate(timeout=300)
    assert (again.returncode, errors) == (0, "")
    events = [json.loads(line) for line in output.splitlines()]
    epochs = [first, *(event for event in events if event["event"] == "epoch" and event["epoch"] > 1)]
    assert events[0]["epochs_done"] >= 1
    done = events[-1]
    loss = [(event["epoch"], event["loss"]) for event in epochs]
    score = [(event["epoch"], event["dev_score"]) for event in epochs]
    accuracy = done["dev"]["dev.csv"]["accuracy"]

    [folder] = (tmp_path / "runs").iterdir()
    shown = curves(folder)
    assert folder.name.startswith("toy-")
    assert [step for step, _ in shown["loss"]] == [1, 2, 3]
    assert shown["loss"] == [(step, pytest.approx(value)) for step, value in loss]
    assert shown["dev_score"] == [(step, pytest.approx(value)) for step, value in score]
    assert shown["dev/dev.csv/accuracy"] == [(3, pytest.approx(accuracy))]
    address = f"sqlite:///{tmp_path / 'runs.db'}"
    [run] = runs(address)
    assert (run.info.run_name, run.info.status, run.data.params["model.hidden_size"]) == ("toy", "FINISHED", "4")
    assert history(address, run, "loss") == loss
    assert history(address, run, "dev_score") == score
    assert run.data.metrics["dev/dev.csv/accuracy"] == accuracy
    assert run.data.metrics["best_dev_score"] == done["dev_score"]


def test_tensorboard_has_the_settings_and_a_training_anew_replaces_its_curves(tmp_path: Path) -> None:
    name = f"tensorboard:{tmp_path}"
    assert follow(name, start(), range(1, 4), None) == []
    assert follow(name, start(), range(1, 3)) == []
    assert follow(name, start(settings={**SETTINGS, "model.hidden_size": "8"}), range(1, 2)) == []
    folders = sorted(tmp_path.iterdir())
    assert sorted(len(curves(folder)["loss"]) for folder in folders) == [1, 2]
    [folder] = [folder for folder in folders if len(curves(folder)["loss"]) == 2]
    assert curves(folder) == {
        "loss": [(1, 1.0), (2, 0.5)],
        "dev_score": [(1, 0.25), (2, 0.5)],
        "tokens_per_second": [(1, 1000.0), (2, 1000.0)],
        "best_dev_score": [(2, pytest.approx(0.9))],
        "temperature": [(2, 1.25)],
        "dev/a.csv/accuracy": [(2, 0.75)],
        "dev/a.csv/rows": [(2, 4.0)],
    }
    content = EventAccumulator(str(folder)).Reload().SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    settings = HParamsPluginData.FromString(content).session_start_info.hparams
    assert settings["model.hidden_size"].number_value == 4
    assert settings["model.encoder"].string_value == "lstm"
    assert settings["train rows 1 _a.csv_"].string_value == "9 rows of sha256 abc"
    assert (settings["labels"].string_value, settings["rows"].number_value) == ("bad, good", 9)


def test_mlflow_has_the_settings_and_a_run_for_each_training_that_ended(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'runs.db'}"
    with pytest.raises(KeyboardInterrupt), open_trackers([f"mlflow:{address}"], pytest.fail) as [tracker]:
        tracker.start(start())
        tracker.progress(epoch(1))
        raise KeyboardInterrupt
    assert [run.info.status for run in runs(address)] == ["FAILED"]
    assert follow(f"mlflow:{address}", start(1), range(2, 4)) == []
    assert follow(f"mlflow:{address}", start(), range(1, 2)) == []
    [first, second] = runs(address)
    assert history(address, first, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert history(address, second, "loss") == [(1, 1.0)]
    assert first.info.status == second.info.status == "FINISHED"
    assert first.data.metrics["dev/a.csv/accuracy"] == 0.75
    assert {name: first.data.params[name] for name in ("model.encoder", "train rows 1 _a.csv_", "labels", "rows")} == {
        "model.encoder": "lstm",
        "train rows 1 _a.csv_": "9 rows of sha256 abc",
        "labels": "bad, good",
        "rows": "9",
    }


def test_more_settings_and_figures_than_mlflow_takes_at_once(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'runs.db'}"
    many = {f"setting {number}": "x" * 7000 for number in range(101)}
    figures = {"a.csv": {f"class {number}": number for number in range(1001)}}
    assert follow(f"mlflow:{address}", start(settings=many), range(1, 2), Done("m", "v", 0.5, 1.0, figures)) == []
    [run] = runs(address)
    assert len(run.data.params["setting 100"]) == 6000
    assert run.data.metrics["dev/a.csv/class 1000"] == 1000


def interrupted(name: str, break_store: Callable[[], object], mend_store: Callable[[], object]) -> list[str]:
    """The warnings of a training whose store is away at the end of its first two epochs."""
    warnings: list[str] = []
    with open_trackers([name], warnings.append) as [tracker]:
        tracker.start(start())
        break_store()
        tracker.progress(epoch(1))
        tracker.progress(epoch(2))
        mend_store()
        tracker.progress(epoch(3))
        tracker.done(DONE)
    return warnings


def test_a_database_that_stops_answering_costs_one_warning_and_gets_everything_later(tmp_path: Path) -> None:
    def rename(old: str, new: str) -> None:
        with sqlite3.connect(tmp_path / "runs.db") as database:
            database.execute(f"ALTER TABLE {old} RENAME TO {new}")
        database.close()

    address = f"sqlite:///{tmp_path / 'runs.db'}"
    [warning] = interrupted(f"mlflow:{address}", lambda: rename("metrics", "gone"), lambda: rename("gone", "metrics"))
    assert warning.startswith(f"mlflow:{address} does not answer any more: ")
    assert "OperationalError) no such table: metrics; training continues" in warning
    assert warning.endswith("; training continues, and the missing records are sent once it answers")
    [run] = runs(address)
    assert history(address, run, "loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert (run.info.status, run.data.metrics["best_dev_score"]) == ("FINISHED", 0.9)


def test_a_folder_that_can_t_be_written_costs_one_warning_and_gets_everything_later(tmp_path: Path) -> None:
    def fill() -> None:
        [run] = tmp_path.iterdir()
        shutil.rmtree(run)
        run.write_text("")

    def free() -> None:
        [run] = tmp_path.iterdir()
        run.unlink()

    [warning] = interrupted(f"tensorboard:{tmp_path}", fill, free)
    assert warning.startswith(f"tensorboard:{tmp_path} does not answer any more: ")
    [run] = tmp_path.iterdir()
    assert curves(run)["dev_score"] == [(1, 0.25), (2, 0.5), (3, 0.75)]
    assert curves(run)["temperature"] == [(3, 1.25)]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (
            "tensorboard",
            ConfigError,
            "--track tensorboard has an unknown form; give tensorboard:FOLDER or",
        ),
        ("mlflow:", ConfigError, "--track mlflow: has an unknown form; give tensorboard:FOLDER or mlflow:ADDRESS"),
        (
            "wandb:runs",
            ConfigError,
            "--track wandb:runs has an unknown form; give tensorboard:FOLDER or",
        ),
        (
            "mlflow:runs",
            ConfigError,
            "mlflow:runs: that is not an address; give one such as mlflow:http://127.0.0.1:5000",
        ),
        ("tensorboard:s3://bucket/runs", ConfigError, "give a local folder, such as tensorboard:runs"),
        ("tensorboard:FILE", TrackingError, "--track tensorboard:FILE can't be used: .*File exists"),
        ("mlflow:sqlite:///FILE/runs.db", TrackingError, "can't be used: .*; fix the store, or leave --track out"),
        (
            "mlflow:http://127.0.0.1:PORT",
            TrackingError,
            "can't be used: .*Connection refused.*; fix the store, or leave --track out",
        ),
    ],
)
def test_refused_before_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, error: type[SentimentError], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("FILE").write_text("")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # taken, without a listener
        name = name.replace("PORT", str(free.getsockname()[1]))
        with pytest.raises(error, match=message) as refused, open_trackers([name], pytest.fail):
            pass
    assert "\n" not in str(refused.value)


def test_a_run_that_can_t_begin_is_refused(tmp_path: Path) -> None:
    class Full:
        def begin(self, start: Start) -> None:
            raise OSError(28, "No space left on device")

        def write(self, figures: Any) -> None: ...

        def end(self, *, finished: bool) -> None:
            pytest.fail("it never began")

    tracker = Tracker("tensorboard:full", Full(), pytest.fail)
    with pytest.raises(TrackingError, match="--track tensorboard:full can't be used: .*No space left on device; fix"):
        tracker.start(start())
    tracker.stop()


@pytest.mark.parametrize(
    ("package", "name"), [("tensorboard", "tensorboard:runs"), ("mlflow", "mlflow:sqlite:///r.db")]
)
def test_without_its_package_it_is_said_how_to_get_it(
    tmp_path: Path, write_reviews: Write, package: str, name: str
) -> None:
    write_reviews(tmp_path / "reviews.csv", 60)
    running = sentiment(tmp_path, "train", "reviews.csv", "--track", name, before=f"sys.modules['{package}'] = None; ")
    _, errors = running.communicate(timeout=120)
    assert running.returncode == 2
    assert errors.strip() == f"error: --track {name} needs {package}: pip install 'sentiment-bilstm[track]'"
