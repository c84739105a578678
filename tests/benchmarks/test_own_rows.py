import subprocess
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from benchmarks import own_rows, own_rows_sets
from benchmarks.own_rows_report import Result, bars, cells_of, read_results, report
from benchmarks.own_rows_sets import SETS, OwnSet, read_set
from sentiment.cli import app

THINGS = ("parcel", "shop", "mug", "lamp", "chair", "spoon", "kettle", "blanket")
OPINIONS = {"lovely": "positive", "great": "positive", "awful": "negative", "broken": "negative"}
NOUNS, JUDGEMENTS = (
    ("房间", "早餐", "服务", "床"),
    {"很好": "positive", "不错": "positive", "很差": "negative", "太吵": "negative"},
)
QUICK = ("--hidden-size", "4", "--embedding-size", "4", "--epochs", "1")


def english(ending: str) -> list[tuple[str, str]]:
    return [(f"the {thing} was {word} {ending}", label) for thing, (word, label) in product(THINGS, OPINIONS.items())]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tables of each form: with a dev file, without one, in Chinese, of numbers, of several emotions a row."""
    monkeypatch.setattr(own_rows_sets, "KEPT_ROWS", 16)
    folder = tmp_path / "data"
    folder.mkdir()

    def write(name: str, rows: Sequence[tuple[str, Any]], column: str = "label") -> None:
        pl.DataFrame(rows, schema=["text", column], orient="row").write_parquet(folder / f"{name}.parquet")

    write("tweets_train", [*english("today"), *english("again"), ("it came on Monday", "neutral")])
    write("tweets_dev", [*english("here"), english("today")[0]])
    write("products_new_domains", english("online"))
    chinese = [(f"{thing}{word}", label) for thing, (word, label) in product(NOUNS, JUDGEMENTS.items())]
    write("zh_hotel_train", [(f"{text}。", label) for text, label in chinese])
    write("zh_hotel_dev", chinese)
    values = {"positive": 2.5, "negative": -1.5}
    write("valence_train", [(text, values[label]) for text, label in english("now")], "valence")
    moods = [("so glad", "joy"), ("so sad", "sadness"), ("well", "joy,sadness"), ("oh", "fear")]
    for name in ("forum_train", "forum_dev"):
        write(
            name, [(f"{text} {name} {number}", mood) for text, mood in moods for number in range(len(mood))], "emotions"
        )
    return folder


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands of trainings, which are run in this process and learn little."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: Any) -> None:
        commands.append(command)
        done = CliRunner().invoke(app, command[len(own_rows.COMMAND) :])
        if done.exit_code:
            raise subprocess.CalledProcessError(done.exit_code, command, stderr=done.output)

    monkeypatch.setattr(subprocess, "run", run)
    options = {"nothing": ("--from", "nothing", *QUICK), "chosen": (*QUICK, "--seed", "1")}
    monkeypatch.setattr(own_rows, "OPTIONS", options)
    return commands


def run_until_the_end(arguments: Sequence[object]) -> int:
    with pytest.raises(SystemExit) as ended:
        own_rows.main([*map(str, arguments)])
    return int(str(ended.value.code))


def test_a_killed_run_resumes(
    data: Path, trainings: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data.with_name("results")
    arguments = ["--data", data, "--out", out, "--sizes", 16, "--subsets", 2, "--sets", "tweets", "zh_hotel", "valence"]
    run = subprocess.run

    def killed(command: list[str], **options: Any) -> None:
        if len(trainings) == 3:
            raise KeyboardInterrupt
        run(command, **options)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(subprocess, "run", killed)
        own_rows.main([*map(str, arguments)])
    [folder] = out.iterdir()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(before) == 5 + 3  # all ways of a subset, and of the next those before the killed training
    (folder / "tweets-16-1-chosen.json.partial").write_text('{"set": "twe')  # as a kill in the midst of writing leaves

    assert run_until_the_end(arguments) == 0
    found = read_results(folder)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(trainings) == 2 * (2 + 1 + 1)  # 16 rows are all that the others have: drawn once
    assert [command[-2:] for command in trainings if "--language" in command] == [["--language", "zh"]] * 2
    assert [command[-2:] for command in trainings if "--task" in command] == [["--task", "regression"]] * 2
    counts = {name: sum(each.set == name for each in found) for name in SETS}
    assert counts == {**dict.fromkeys(SETS, 0), "tweets": 10, "zh_hotel": 4, "valence": 4}
    assert {each.judged_rows for each in found} == {33, 16}
    for each in found:
        assert each.rows == 16
        assert 0 <= each.seconds <= each.total_seconds
        assert list(each.figures) == list(own_rows.FIGURES[SETS[each.set].task])
        assert -1 <= each.score <= 1
    shown = capsys.readouterr().out
    assert len([line for line in shown.splitlines() if " rows, subset " in line]) == len(found)
    assert shown.endswith(report(found))

    run_until_the_end(arguments)
    assert len(trainings) == 8


def test_a_failed_training_is_reported_and_the_others_go_on(
    data: Path, trainings: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(own_rows.OPTIONS, "nothing", ("--epochs", "0"))
    out = data.with_name("results")
    arguments = ["--data", data, "--out", out, "--sizes", 16, "--subsets", 1, "--sets", "products_new_domains"]
    assert run_until_the_end(arguments) == 1
    assert "products_new_domains-16-0-nothing" in capsys.readouterr().err
    [folder] = out.iterdir()
    assert [each.way for each in read_results(folder)] == ["chosen", "linear", "majority", "start"]


def test_draws_leave_rows_to_judge_by(data: Path) -> None:
    products = read_set(SETS["products_new_domains"], data)
    assert products.available == 32 - 16
    for size, rows in ((8, 8), (5000, 16)):
        draw = products.draw(size, 1)
        assert len(draw.train) == rows
        assert len(draw.judged) == 32 - rows
        assert not {*draw.train["text"]} & {*draw.judged["text"]}
        assert draw.train.equals(products.draw(size, 1).train)
    assert not products.draw(8, 1).train.equals(products.draw(8, 2).train)

    tweets = read_set(SETS["tweets"], data)
    assert tweets.available == 64  # of 65, without the text that is in the dev file
    drawn = [tweets.draw(12, subset) for subset in range(20)]
    assert {len(draw.judged) for draw in drawn} == {33}
    assert not any("neutral" in draw.labels for draw in drawn)  # it has a single row

    forum = read_set(SETS["forum"], data)
    assert sorted(forum.pool["label"].unique()) == ["fear", "joy", "sadness"]
    commonest = read_set(OwnSet("forum_train", "forum_dev", label_column="emotions", commonest=2), data)
    assert commonest.draw(5, 0).labels == ["fear", "sadness"]


Results = Callable[..., list[Result]]


@pytest.fixture
def results() -> Results:
    """Results of a set and a size: the accuracy of each way in each subset, and what `chosen` says is the best."""

    def build(name: str, rows: int, best: str = "", **scores: Sequence[float]) -> list[Result]:
        measure = "accuracy" if SETS[name].task == "classification" else "pearson_r"
        candidates = {"model" if way == "chosen" else way: {"ece": None} for way in scores if way != "nothing"}
        comparison = {"candidates": candidates, "best": best} if best else None
        return [
            Result(
                name, rows, rows, subset, way, 99, {measure: score, "ece": 0.04}, 2.0, 1800.0,
                comparison if way == "chosen" else None,
            )
            for way, subsets in scores.items()
            for subset, score in enumerate(subsets)
        ]  # fmt: skip

    return build


def test_bars(results: Results) -> None:
    found = [
        *results("tweets", 50, linear=(0.6,), chosen=(0.5,), start=(0.504,)),  # too few rows to be ahead
        *results("tweets", 200, "model", linear=(0.5, 0.6), chosen=(0.6, 0.6), start=(0.62, 0.6)),
        *results("products_new_domains", 200, "linear", linear=(0.7,), chosen=(0.709,)),
        *results("sst", 200, linear=(0.3,), chosen=(0.35,), nothing=(0.1,)),
        *results("forum", 200, linear=(0.5,), chosen=(0.49,)),
        *results("zh_hotel", 200, linear=(0.8,), chosen=(0.7,)),
        *results("zh_hotel", 1000, linear=(0.8,), chosen=(0.8,), nothing=(0.8,)),
        *results("zh_hotel", 5000, linear=(0.8,), nothing=(0.79,)),
        *results("valence", 1000, "linear", linear=(0.5,), chosen=(0.52,), nothing=(0.6,)),
    ]
    linear, english_lead, start, ece, nothing, sentence = bars(cells_of(found))
    assert linear.margins == pytest.approx({
        "tweets 200": 0.05, "products_new_domains 200": 0.009, "sst 200": 0.05, "forum 200": -0.01,
        "zh_hotel 1,000": 0, "valence 1,000": 0.02,
    })  # fmt: skip
    assert "**missed** | 83% of 6 | forum 200 -1.0 | forum 200 -1.0 |" in linear.line
    assert english_lead.margins == pytest.approx({"200": (0.05 + 0.009 + 0.05 - 0.01) / 4 - 0.03})
    assert start.margins == pytest.approx({"tweets 50": 0.001, "tweets 200": -0.005})
    assert ece.margins == pytest.approx(
        dict.fromkeys(("sst 200", "forum 200", "zh_hotel 200", "zh_hotel 1,000"), 0.01)
    )  # of the others it is said to be unknown
    assert nothing.margins == pytest.approx({"zh_hotel": -0.01, "valence": 0.1})
    assert "held | 50% of 2" in nothing.line
    assert sentence.margins == pytest.approx({
        "tweets 200 chosen 0": -0.01, "tweets 200 chosen 1": 0.01, "products_new_domains 200 chosen 0": 0.001,
        "valence 1,000 chosen 0": -0.01,
    })  # fmt: skip
    assert "**missed** | 50% of 4" in sentence.line


def test_the_table_of_finished_results_replaces_that_of_a_page(
    results: Results, data: Path, trainings: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    page = data.with_name("page.md")
    page.write_text(f"# Figures\n\n{own_rows.MARKER}\nold\n")
    out = data.with_name("results")
    arguments = ["--data", data, "--out", out, "--sizes", 8, "--subsets", 1, "--sets", "tweets", "--ways", "linear"]
    run_until_the_end(arguments)
    for _ in range(2):
        own_rows.main(["--out", str(out), "--table", str(page)])
    text = page.read_text()
    assert text.startswith(f"# Figures\n\n{own_rows.MARKER}\n| set |")
    assert text.count("| tweets | 8 |") == 1
    assert "old" not in text
    assert not trainings
    page.write_text("# Figures\n")
    assert run_until_the_end(["--out", out, "--table", page]) == 2
    assert "--table" in capsys.readouterr().err
    assert run_until_the_end(["--out", out]) == 2
    assert "--data" in capsys.readouterr().err

    shown = report(results("valence", 1000, linear=(0.5, 0.6), chosen=(0.7, 0.8)))
    assert "| valence | 1,000 |  | 0.550 / 0.040, 2 s |  | 0.750 / 0.040, 2 s |  |" in shown
    assert "4 results; the whole took 2 h 0 min." in shown
