"""Commands whose standard streams are closed, full or left by their reader, and what data can't do to a terminal."""

import io
import os
import sys
from collections.abc import Callable
from contextlib import nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import pytest

from sentiment import bundle as bundles
from sentiment.cli import main
from sentiment.events import BROKEN_PIPE
from tests.conftest import MakeBundle, golden_of

Ended = Callable[..., tuple[int, str]]
NAMES = ("[good]", "[/x]", "a\x1b[31m:smile:")  # rich's markup, its end alone, an escape and a code of emoji
VISIBLE_NAMES = ("[good]", "[/x]", "a␛[31m:smile:")


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ended:
    """Run a command with these streams, and return its exit code and standard error."""

    def run(*arguments: object, **streams: TextIO | None) -> tuple[int, str]:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["sentiment", *map(str, arguments)])
            for name, stream in streams.items():
                patch.setattr(sys, name, stream)
            with pytest.raises(SystemExit) as exit:
                main()
        return int(exit.value.code or 0), capsys.readouterr().err

    return run


def without_reader() -> TextIO:
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "w")


@pytest.fixture(
    params=[
        "predict --model {model} good", "predict --model {model} --json good", "info --model {model}",
        "info --model {model} --json", "explain --model {model} good", "evaluate --model {model} --data {data}",
        "check --model {model} --suite {suite}", "compare {model} {model} --data {data}",
    ],
)  # fmt: skip
def answering(request: pytest.FixtureRequest, tiny_bundle: Path, tmp_path: Path) -> list[str]:
    """A command that is for what it prints."""
    data = tmp_path / "data.csv"
    data.write_text("text,label\ngood,positive\nbad,negative\n")
    suite = tmp_path / "suite.yaml"
    suite.write_text("tests:\n- {name: praise, kind: minimum functionality, label: positive, texts: [good]}\n")
    return [part.format(model=tiny_bundle, data=data, suite=suite) for part in request.param.split(" ")]


@pytest.mark.parametrize(
    ("opened", "reason"),
    [(partial(open, "/dev/full", "w"), "No space left on device"), (nullcontext, "standard output is closed")],
    ids=["full", "closed"],
)
def test_an_output_that_takes_nothing_is_one_line(
    ended: Ended, answering: list[str], opened: Callable[[], Any], reason: str
) -> None:
    with opened() as stdout:
        code, err = ended(*answering, stdout=stdout)
    assert (code, err.count("\n")) == (2, 1)
    assert reason in err


def test_a_reader_that_leaves_ends_it(ended: Ended, answering: list[str]) -> None:
    with without_reader() as stdout:
        assert ended(*answering, stdout=stdout) == (BROKEN_PIPE, "")


@pytest.mark.parametrize("command", ["predict", "explain"])
def test_a_closed_input_is_one_line(ended: Ended, tiny_bundle: Path, command: str) -> None:
    code, err = ended(command, "--model", tiny_bundle, stdin=None)
    assert (code, err.count("\n")) == (2, 1)
    assert "standard input" in err or "give a text" in err


def test_a_line_that_no_stream_takes_leaves_the_exit_code(ended: Ended, tmp_path: Path) -> None:
    with suppress(OSError), open("/dev/full", "w", buffering=1) as full:
        assert ended("predict", "--model", tmp_path, "good", stderr=full)[0] == 2
    assert ended("predict", "--model", tmp_path, "good", stderr=None)[0] == 2


@pytest.mark.parametrize("stdout", [without_reader, partial(open, "/dev/full", "w")], ids=["no reader", "full"])
def test_a_training_goes_on_where_nobody_reads(ended: Ended, tmp_path: Path, stdout: Callable[[], TextIO]) -> None:
    data = tmp_path / "data.csv"
    data.write_text("text,label\n" + "".join(f"good {n},a\nbad {n},b\n" for n in range(8)))
    arguments = ["--epochs", 1, "--hidden-size", 4, "--embedding-size", 4, "--out", tmp_path / "model"]
    with stdout() as stream:
        assert ended("train", data, *arguments, stdout=stream) == (0, "")
    assert bundles.load(tmp_path / "model").labels == ("a", "b")


def test_a_terminal_that_does_not_know_a_sign_gets_its_number(ended: Ended, tiny_bundle: Path) -> None:
    with io.TextIOWrapper(io.BytesIO(), encoding="latin-1") as stdout:
        assert ended("predict", "--model", tiny_bundle, "good 😀", stdout=stdout) == (0, "")
        assert rb"good \U0001f600" in stdout.buffer.getvalue()  # type: ignore[attr-defined]


def test_labels_texts_and_names_are_shown_as_they_are(
    make_bundle: MakeBundle, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = replace(make_bundle(), name="[bold]tiny[/bold]", labels=NAMES)
    bundles.save(replace(bundle, golden=golden_of(bundle)), tmp_path / "[red]model")
    data = tmp_path / "[b]data.csv"
    texts = ["good [/x] :smile: film", "bad [red]film", "\x1b[2Jokay"] * 3
    data.write_text("text,label\n" + "".join(f"{text} {row},{NAMES[row % 3]}\n" for row, text in enumerate(texts)))
    model = ["--model", tmp_path / "[red]model"]

    def printed(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["sentiment", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit:
            main()
        assert not exit.value.code
        out, err = capsys.readouterr()
        assert "\x1b" not in out + err
        return out

    assert ", ".join(VISIBLE_NAMES) in printed("info", *model)
    assert "[bold]tiny[/bold]" in printed("info", *model)
    said = printed("predict", *model, *texts)
    explained = printed("explain", *model, texts[0])
    evaluated = printed("evaluate", *model, "--data", data)
    for name in VISIBLE_NAMES:
        assert name in explained
        assert name in evaluated
    for text in ("good [/x] :smile: film", "bad [red]film", "␛[2Jokay"):
        assert text in said
    assert any(name in said for name in VISIBLE_NAMES)
    assert "good [/x] :smile: film" in explained
    trained = ["--epochs", 1, "--hidden-size", 4, "--embedding-size", 4, "--out", tmp_path / "new"]
    learned = printed("train", data, *trained)
    for name in (*VISIBLE_NAMES, "[b]data.csv"):
        assert name in learned
    compared = printed("compare", tmp_path / "[red]model", tmp_path / "new", "--data", data)
    assert any(text in compared for text in ("good [/x] :smile: film", "bad [red]film", "␛[2Jokay"))
