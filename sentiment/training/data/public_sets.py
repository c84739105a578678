"""Download public sets from their authors and convert them to tables that `sentiment train` reads.

Nothing is unpacked: members are read by the names that they should have, so that no name in an archive becomes a path.
"""

import os
import re
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from sentiment.errors import ConfigError, DataError
from sentiment.storage.download import Progress, download

_REVIEW = re.compile(r"aclImdb/(?P<half>train|test)/(?P<id>(?P<side>neg|pos|unsup)/\d+_(?P<rating>\d+))\.txt")
_SIDES = {"neg": "negative", "pos": "positive"}
_GRADES = ("very negative", "negative", "neutral", "positive", "very positive")
_PART = re.compile(r"\(([0-4]) |\)|[^\s()]+")
_BRACKETS = {"-LRB-": "(", "-RRB-": ")"}

Tables = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class PublicSet:
    """The URL of a set's archive, its checksum, and its conversion to tables."""

    url: str
    sha256: str
    tables: Callable[[Path], Tables]


def fetch(name: str, folder: Path, progress: Progress = lambda done, total: None) -> dict[Path, int]:
    """Return the tables written to a folder and the rows of each; the archive stays there, and is not fetched again.

    Raises ConfigError for a set that isn't known, DataError for an archive that can't be fetched or is another.
    """
    if name not in SETS:
        raise ConfigError(f"there is no public set {name!r}; there are {', '.join(SETS)}")
    public = SETS[name]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: can't be made: {error.strerror}; choose another folder") from None
    archive = folder / public.url.rsplit("/", 1)[-1]
    download(public.url, archive, public.sha256, progress)
    written = {}
    for table, frame in public.tables(archive).items():
        path = folder / f"{name}_{table}.parquet"
        scratch = folder / f"{path.name}.partial"
        frame.write_parquet(scratch)
        os.replace(scratch, path)
        written[path] = frame.height
    return written


def imdb_tables(archive: Path) -> Tables:
    """Return the Large Movie Review Dataset v1.0 (Maas et al. 2011): train, test, and reviews without label; by id."""
    rows: dict[str, list[tuple[str, str, str | None, int]]] = {"train": [], "test": [], "unlabelled": []}
    with tarfile.open(archive, "r|gz") as members:
        for member in members:
            found = _REVIEW.fullmatch(member.name)
            content = members.extractfile(member) if found and member.isfile() else None
            if found and content is not None:
                table = "unlabelled" if found["side"] == "unsup" else found["half"]
                text = content.read().decode()
                rows[table].append((found["id"], text, _SIDES.get(found["side"]), int(found["rating"])))
    schema = {"id": pl.String, "text": pl.String, "label": pl.String, "rating": pl.Int64}
    tables = {name: pl.DataFrame(sorted(found), schema, orient="row") for name, found in rows.items()}
    return {**tables, "unlabelled": tables["unlabelled"].select("id", "text")}


def sst_tables(archive: Path) -> Tables:
    """Convert the Stanford Sentiment Treebank (Socher et al. 2013): sentences of each split, and training phrases.

    Phrases are distinct, each with the first sentence that contains it. Raises DataError for a line that is not a tree.
    """
    with zipfile.ZipFile(archive) as members:
        trees = {
            split: [
                list(_phrases(line, f"{split}.txt line {number}"))
                for number, line in enumerate(members.read(f"trees/{split}.txt").decode().splitlines(), start=1)
            ]
            for split in ("train", "dev", "test")
        }
    sentences = {
        split: _graded(
            pl.DataFrame(
                [(place, *tree[-1]) for place, tree in enumerate(found)], ("id", "text", "grade"), orient="row"
            )
        )
        for split, found in trees.items()
    }
    whole = set(sentences["train"]["text"])
    parts = [(*each, int(each[0] in whole), place) for place, tree in enumerate(trees["train"]) for each in tree]
    columns = ("text", "grade", "is_sentence", "sentence_id")
    phrases = pl.DataFrame(parts, columns, orient="row").unique("text", keep="first", maintain_order=True)
    return {**sentences, "train_phrases": _graded(phrases)}


def _graded(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the names of their grades, of five and of three."""
    five = pl.col("grade").replace_strict(dict(enumerate(_GRADES)), return_dtype=pl.String)
    return frame.select(
        *(name for name in ("id", "text") if name in frame.columns),
        five.str.replace("very ", "").alias("label"),
        five.alias("label5"),
        *(name for name in ("is_sentence", "sentence_id") if name in frame.columns),
    )


def _phrases(line: str, place: str) -> Iterator[tuple[str, int]]:
    """Yield text and grade of each node of a tree, `(3 (2 It) (4 works))`: children first, the root last."""
    open_nodes: list[tuple[int, int]] = []  # the grade of each, and at which word it begins
    words: list[str] = []
    root = False
    for part in _PART.finditer(line):
        if root or (part[0] == ")" and not open_nodes):
            raise DataError(f"{place} is not a tree: {line!r:.80}")
        if part[1]:
            open_nodes.append((int(part[1]), len(words)))
        elif part[0] == ")":
            grade, start = open_nodes.pop()
            root = not open_nodes
            yield " ".join(words[start:]), grade
        else:
            words.append(_BRACKETS.get(part[0], part[0]))
    if not root:
        raise DataError(f"{place} is not a tree: {line!r:.80}")


SETS = {
    "imdb": PublicSet(
        "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe",
        imdb_tables,
    ),
    "sst": PublicSet(
        "https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
        "5c613a4f673fc74097d523a2c83f38e0cc462984d847b82c7aaf36b01cbbbfcc",
        sst_tables,
    ),
}
