"""The commands as a user types them: in this process, or in one of their own where that is the point."""

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

import sentiment
from sentiment.classifier import Classifier
from sentiment.cli import main
from sentiment.events import BROKEN_PIPE

Run = Callable[..., subprocess.CompletedProcess[bytes]]
Refused = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Run:
    """Run `sentiment ARGUMENTS` in this process, and return its exit code and output."""

    def run(*arguments: object, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        monkeypatch.setattr(sys, "argv", ["sentiment", *map(str, arguments)])
        with tempfile.TemporaryFile() as file, io.TextIOWrapper(file) as stream, pytest.raises(SystemExit) as end:
            file.write(stdin)
            file.seek(0)
            monkeypatch.setattr(sys, "stdin", stream)
            main()
        return subprocess.CompletedProcess(sys.argv, end.value.code or 0, *capfdbinary.readouterr())

    return run


@pytest.fixture
def refused(run: Run) -> Refused:
    """Run `sentiment ARGUMENTS` to its exit with 2, and return what it says on standard error."""

    def refused(*arguments: object) -> str:
        done = run(*arguments)
        assert done.returncode == 2
        return done.stderr.decode()

    return refused


def test_predict_answers_as_the_library(run: Run, tiny_bundle: Path, tiny_classifier: Classifier) -> None:
    texts = ["a great film", "not good", "zyzzyva"]
    done = run("predict", "--model", tiny_bundle, "--json", *texts)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer, expected in zip(answers, tiny_classifier.predict(texts), strict=True):
        assert answer["label"] == expected.label
        assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-5)
        assert (answer["tokens"], answer["unknown_tokens"]) == (expected.tokens, expected.unknown_tokens)


def test_a_bad_line_is_named_and_the_others_answered(run: Run, tiny_bundle: Path) -> None:
    done = run("predict", "--model", tiny_bundle, "--json", stdin=b"good\r\n\n\xff\nbad film")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1
    assert [("label" in answer, answer.get("error")) for answer in answers] == [
        (True, None),
        (False, "is empty or blank"),
        (False, "is not UTF-8: byte 0xff at offset 0"),
        (True, None),
    ]
    assert answers[0]["tokens"] == 1
    assert done.stderr.decode().splitlines() == [
        "error: text 2: is empty or blank",
        "error: text 3: is not UTF-8: byte 0xff at offset 0",
    ]


def test_people_get_the_label_its_probability_and_what_was_not_known(run: Run, tiny_bundle: Path) -> None:
    done = run("predict", "--model", tiny_bundle, "a great zyzzyva")
    assert "%  a great zyzzyva  (1 of 3 tokens unknown)" in done.stdout.decode()


def test_a_text_that_begins_with_a_dash(run: Run, refused: Refused, tiny_bundle: Path) -> None:
    assert "-- TEXT" in refused("predict", "--model", tiny_bundle, "-1/10 terrible")
    assert "-- TEXT" in refused("explain", "--model", tiny_bundle, "-1/10 terrible")
    assert "-- TEXT" not in refused("info", "-1")
    assert run("predict", "--model", tiny_bundle, "--", "-1/10 terrible").returncode == 0


def test_the_version(run: Run) -> None:
    done = run("--version")
    assert (done.returncode, done.stdout.decode()) == (0, f"sentiment {sentiment.__version__}\n")


def test_explain_prints_and_writes_what_the_library_sees(
    run: Run, tiny_bundle: Path, tiny_classifier: Classifier, tmp_path: Path
) -> None:
    text = "A great film! It was <b>bad</b>."
    files = ("--html", tmp_path / "seen.html", "--png", tmp_path / "seen.png")
    done = run("explain", "--model", tiny_bundle, text, *files)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert text in done.stdout.decode()
    assert (tmp_path / "seen.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "seen.png").read_bytes().startswith(b"\x89PNG")
    content = json.loads(run("explain", "--model", tiny_bundle, "--json", stdin=text.encode()).stdout)
    [expected] = tiny_classifier.explain([text])
    assert [token["weight"] for token in content["explanation"]["tokens"]] == pytest.approx(
        [token.weight for token in expected.tokens], abs=1e-5
    )
    assert [text[each["start"] : each["end"]] for each in content["sentences"]] == [
        "A great film! ", "It was <b>bad</b>."
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "stdin", "message"),
    [
        (("",), b"", "error: the text is empty or blank\n"),
        ((), b"\xff", "error: standard input is not UTF-8: byte 0xff at offset 0\n"),
        (("good", "--png", "gone/a.png"), b"", "error: gone/a.png: there is no folder gone\n"),
    ],
)
def test_what_explain_refuses(
    run: Run, tiny_bundle: Path, arguments: tuple[str, ...], stdin: bytes, message: str
) -> None:
    done = run("explain", "--model", tiny_bundle, *arguments, stdin=stdin)
    assert (done.returncode, done.stderr.decode()) == (2, message)


@pytest.mark.parametrize(
    ("texts", "share", "said"),
    [
        (("good film", "bad zyzzyva"), 0.25, b""),
        (
            ("un bon film", "une mauvaise histoire"),
            5 / 6,
            b"83.3% of the tokens are unknown to the model, which reads en",
        ),
        (("房间很干净", "太吵了"), 1, b"100.0% of the tokens are unknown to the model: most letters are CJK"),
    ],
)
def test_evaluate_doubts_a_language(
    run: Run, tiny_bundle: Path, value_bundle: Path, tmp_path: Path, texts: tuple[str, str], share: float, said: bytes
) -> None:
    data = tmp_path / "data.csv"
    data.write_text(f"text,label,value\n{texts[0]},positive,1\n{texts[1]},negative,0\n")
    for model, column in ((tiny_bundle, "label"), (value_bundle, "value")):
        done = run("evaluate", "--model", model, "--data", data, "--label-column", column, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["unknown_tokens"] == pytest.approx(share)
        assert done.stderr[: len(said) or None] == said


def test_evaluate_takes_a_file_as_train_does(run: Run, refused: Refused, tiny_bundle: Path, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("text,label\ngood,positive\nbad,negative\n")
    command = ("evaluate", "--model", tiny_bundle, "--json")
    assert run(*command, data).stdout == run(*command, "--data", data).stdout != b""
    for given in ([], [data, "--data", data]):
        assert "give one labelled file" in refused(*command, *given)


def test_train_evaluate_score_info_in_a_row(run: Run, tmp_path: Path) -> None:
    rows = [("great film", "good"), ("dull film", "bad")] * 40
    data, model = tmp_path / "reviews.csv", tmp_path / "model"
    data.write_text("review,verdict\n" + "".join(f"{text} {n},{label}\n" for n, (text, label) in enumerate(rows)))
    columns = ("--text-column", "review", "--label-column", "verdict")
    trained = run("train", data, "--out", model, "--epochs", 3, "--hidden-size", 8, *columns)
    assert trained.returncode == 0, trained.stderr
    assert f'sentiment predict --model {model} "a text of yours"' in trained.stdout.decode()

    measured = json.loads(run("evaluate", "--model", model, "--data", data, "--json", *columns).stdout)
    assert measured.keys() == {
        *("accuracy", "macro_f1", "macro_recall", "per_class", "ece", "rows", "labels", "renormalized", "confusion"),
        "unknown_tokens",
    }
    assert (measured["rows"], measured["labels"]) == (80, ["bad", "good"])
    assert sum(map(sum, measured["confusion"])) == 80

    facts = json.loads(run("info", "--model", model, "--json").stdout)
    assert (facts["name"], facts["labels"], facts["language"]) == ("model", ["bad", "good"], "en")

    scored = tmp_path / "scored.csv"
    done = run("score", "--model", model, data, scored, "--text-column", "review")
    assert done.returncode == 0, done.stderr
    assert scored.read_text().splitlines()[0].startswith("review,verdict,label,probability_bad,probability_good,")
    assert len(scored.read_text().splitlines()) == 81
    assert "drift from cross-validation of reviews.csv: lengths little (0.00), unknown tokens " in done.stdout.decode()

    done = run("score", "--model", model, data, scored, "--text-column", "review", "--json",
               "--report", tmp_path / "report.html", "--top-only", "--columns", "verdict")  # fmt: skip
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert (events[0]["event"], events[-1]["event"], events[-1]["rows"]) == ("progress", "done", 80)
    assert [(each["data"], each["of"]) for each in events[-1]["drift"]] == [
        ("cross-validation of reviews.csv", of) for of in ("lengths", "unknown tokens", "labels", "confidence")
    ]
    assert scored.read_text().splitlines()[0] == "verdict,label,probability"
    assert "population stability index" in (tmp_path / "report.html").read_text()


@pytest.mark.slow
def test_other_processes_score_as_this_one(run: Run, tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("good film\n" * 40)
    for processes in (1, 2):
        command = ("score", "--model", tiny_bundle, tmp_path / "in.txt", tmp_path / f"{processes}.csv")
        done = run(*command, "--processes", processes)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


@pytest.mark.parametrize("output", ["{tmp}/out.csv", "-"])
@pytest.mark.usefixtures("bfloat16")
def test_bfloat16_scores_on_every_processor(run: Run, tiny_bundle: Path, tmp_path: Path, output: str) -> None:
    (tmp_path / "in.txt").write_text("good film\n")
    paths = (tmp_path / "in.txt", output.format(tmp=tmp_path))
    done = run("score", "--model", tiny_bundle, *paths, "--dtype", "bfloat16")
    assert done.returncode == 0
    warnings = [line for line in done.stderr.decode().splitlines() if line.startswith("warning: --dtype bfloat16: ")]
    assert len(warnings) <= 1  # where float32 is quicker here


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "--model", "gone", "a"), "error: model bundle refused: gone: there is no such folder\n"),
        (("train", "gone.csv", "--out", "{tmp}/m"), "error: gone.csv: there is no such file\n"),
        (("train", "--out", "{tmp}/m"), "error: give labelled files, or one --recipe\n"),
        (("train", "a.csv", "--out", "{tmp}"), "holds other files than a bundle's: choose an empty or a new folder\n"),
        (("score", "a.csv", "{tmp}/b.csv", "--engine", "spark"), "error: --engine: local or ray, not 'spark'\n"),
        (("score", "a.csv", "b.csv", "--ray-address", "auto"), "error: --ray-address is for --engine ray\n"),
        (
            ("score", "a.csv", "b.csv", "--engine", "ray", "--ray-address", "auto", "--processes", "2"),
            "error: --processes: the cluster at --ray-address has its own: leave one out\n",
        ),
        (
            ("score", "a.csv", "{tmp}/b.csv", "--report", "gone/r.html"),
            "error: --report: there is no folder gone; make it first\n",
        ),
        (("serve", "--model", "gone"), "error: --model: gone holds no model (there is no gone/manifest.json)\n"),
        (("evaluate", "--data", "gone.csv"), "error: gone.csv: there is no such file\n"),
    ],
)
def test_refusals_are_one_line_and_exit_2(
    refused: Refused, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "precious.txt").write_text("keep")
    said = refused(*(argument.format(tmp=tmp_path) for argument in arguments))
    assert said.endswith(message)
    assert said.count("\n") == 1


def test_where_only_the_service_is_installed_what_trains_and_judges_says_what_it_needs(tmp_path: Path) -> None:
    commands = {
        "calibrate --data a.csv --out b": "scipy",
        "check": "yaml",
        "train a.csv": "polars",
    }
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"{n} good,x\n{n} bad,y\n" for n in range(4)))
    script = """
import json, sys
from sentiment.cli import main
from sentiment.events import BROKEN_PIPE
for command, package in json.load(sys.stdin).items():
    sys.argv[1:], sys.modules[package] = command.split(), None
    try:
        main()
    except SystemExit as end:
        print("exit", end.code, file=sys.stderr)
    del sys.modules[package]
"""
    run, listed = [sys.executable, "-c", script], json.dumps(commands)
    done = subprocess.run(run, cwd=tmp_path, input=listed, capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == "".join(
        f"error: this command needs {package}: pip install 'sentiment-bilstm[train]'\nexit 2\n"
        for package in commands.values()
    )


def test_an_error_of_our_own_is_not_taken_for_rejected_rows(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tiny_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.txt").write_text("good film\n")
    monkeypatch.setattr("sentiment.scoring.job.publish", lambda *_: {}["no such thing"])
    said = refused("score", "--model", tiny_bundle, tmp_path / "in.txt", tmp_path / "out.csv")
    assert "KeyError: 'no such thing'" in said


@pytest.mark.parametrize("name", ["in.jsonl", "out.jsonl", "./out.jsonl.rejects.jsonl"])
def test_a_report_overwrites_nothing(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tiny_bundle: Path, tmp_path: Path, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text('{"text": "good"}\n')
    report = name.removeprefix("./")
    expected = f"error: --report: {report} is an input, the output or its rejects; give the report another name\n"
    said = refused("score", "--model", tiny_bundle, "in.jsonl", "out.jsonl", "--report", name)
    assert said.endswith(expected)
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_serve_without_a_model_leaves_it_to_the_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_bundle: Path
) -> None:
    monkeypatch.setenv("SENTIMENT_MODELS", str(tmp_path))
    command = [sys.executable, "-m", "sentiment", "serve", "--port", "0"]
    both = subprocess.run([*command, "--model", tiny_bundle], capture_output=True, text=True, timeout=120, check=False)
    assert both.returncode == 1
    assert both.stderr == (
        "sentiment: SENTIMENT_MODEL and SENTIMENT_MODELS are both set: unset SENTIMENT_MODEL to serve the folder of "
        "models, SENTIMENT_MODELS to serve the one\n"
    )
    alone = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert "SENTIMENT_MODELS: needs a folder 'default', not only []" in alone.stderr


def test_a_reader_that_leaves_ends_it_without_a_word(tiny_bundle: Path) -> None:
    command = [sys.executable, "-m", "sentiment", "predict", "--model", str(tiny_bundle), "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        try:
            process.stdin.write(b"good film\n" * 2000)
            process.stdin.close()
        except BrokenPipeError:
            pass
        assert process.stderr.read() == b""
        assert process.wait(60) == BROKEN_PIPE
