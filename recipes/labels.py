"""Keep the labels that larger models gave to unlabelled texts in `recipes/labels`, so the recipe needs none of them.

`python -m recipes.labels label DATA TEACHER NAME` has a teacher label `DATA/transfer_NAME.parquet`; killed, it resumes.
`python -m recipes.labels ask DATA MODEL NAME` has a model of this project label it.
`python -m recipes.labels join DATA` writes the texts of a table with the labels kept of them: `NAME_labelled.parquet`.

A file holds a key of each text, the first 8 bytes of its SHA-256, and three probabilities of half precision. The JSON
beside it says who labelled, and how good that reader is. Files are added, never rewritten; the texts stay outside.
"""

import hashlib
import json
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from safetensors.numpy import load_file, save_file

from recipes.prepare import LABELS
from recipes.teacher import NOTE, SEED
from sentiment.classifier import load
from sentiment.config import TextConfig
from sentiment.errors import DataError
from sentiment.training.distillation.distil import LABELLING, label_texts
from sentiment.training.distillation.teacher import Teacher
from sentiment.training.recipe import Source

KEPT = Path(__file__).parent / "labels"
LABELLED = ("tweets_train", "forum_train")  # by people: half of a text's probabilities, where a reader labelled it, too
REVIEWS = 20_000  # of those that n-grams and a model labelled, drawn by the seed: a long text costs much
TABLES = {  # those that `join` writes, and whose texts they hold
    "films": "transfer_films",
    "tweets": "transfer_tweets",
    "forum": "transfer_forum",
    "posts": "transfer_posts",
    "products": "transfer_products",
    "reviews": "imdb_unlabelled",
}


def key_of(text: str) -> int:
    """Return the key that a text's labels are kept by."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little", signed=True)


def new_file(name: str) -> Path:
    """Return where the labels of this name are to be kept. Raises DataError if such are kept already."""
    file = KEPT / f"{name}.safetensors"
    if file.exists():
        raise DataError(f"{file} is there: labels are added, never rewritten; have a reader of another name label anew")
    return file


def keep(file: Path, texts: Sequence[str], probabilities: np.ndarray, note: Mapping[str, object]) -> None:
    """Write the probabilities (N, C) of the texts, and the note of who gave them."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.with_suffix(".json").write_text(json.dumps({"rows": len(texts), **note}, indent=1) + "\n")
    keys = np.array([key_of(text) for text in texts], dtype=np.int64)  # (N,)
    scratch = file.with_suffix(".partial")
    rows = np.ascontiguousarray(probabilities, dtype=np.float16)  # (N, C): safetensors writes memory as it lies
    save_file({"keys": keys, "probabilities": rows}, scratch)
    scratch.replace(file)  # whole or not there
    print(f"{len(texts):,} texts: {file}")


def kept() -> dict[int, np.ndarray]:
    """Return the probabilities (C,) of each key: the mean of all readers that labelled its text."""
    found: dict[int, list[np.ndarray]] = {}
    for file in sorted(KEPT.glob("*.safetensors")):
        content = load_file(file)
        for key, row in zip(content["keys"].tolist(), content["probabilities"].astype(np.float32), strict=True):
            found.setdefault(key, []).append(row)
    return {key: np.mean(rows, axis=0) for key, rows in found.items()}


def label(data: Path, folder: Path, name: str) -> None:
    """Have the teacher in `folder` label the texts of a table, and keep what it says under its folder's name."""
    file = new_file(f"{name}-{folder.name}")
    note = json.loads((folder / NOTE).read_text())
    out = folder / f"{name}.parquet"
    source = Source(path=data / f"transfer_{name}.parquet")
    label_texts(Teacher.load(folder), source, out, TextConfig(), folder / LABELLING)
    table = pl.read_parquet(out)
    keep(file, table["text"].to_list(), table.select(LABELS).to_numpy(), note)


def ask(data: Path, folder: Path, name: str) -> None:
    """Have a model of this project label the texts of a table, and keep what it says."""
    classifier = load(folder)
    file = new_file(f"{name}-{classifier.name}-{classifier.version}")
    texts = pl.read_parquet(data / f"transfer_{name}.parquet")["text"].to_list()
    rows = [[each.probabilities[label] for label in LABELS] for each in classifier.predict(texts)]  # (N, C)
    keep(file, texts, np.array(rows), {"reader": f"{classifier.name} {classifier.version}, a model of this project"})


def join(data: Path) -> None:
    """Write each table's texts with the probabilities that are kept of them."""
    known = kept()
    own: dict[str, str] = {}
    for name in LABELLED:
        table = pl.read_parquet(data / f"{name}.parquet")
        own.update(zip(table["text"].to_list(), table["label"].to_list(), strict=True))
    for name, source in TABLES.items():
        texts = pl.read_parquet(data / f"{source}.parquet")["text"].to_list()
        if name == "reviews":
            texts = random.Random(SEED).sample(texts, min(REVIEWS, len(texts)))
        rows = []
        for text in texts:
            found = [known[key]] if (key := key_of(text)) in known else []
            if text in own:
                found.append(np.array([label == own[text] for label in LABELS], dtype=np.float32))  # (C,)
            if not found:
                continue  # without a label
            probabilities = np.mean(found, axis=0)  # (C,)
            rows.append((text, *(float(value) for value in probabilities / probabilities.sum())))
        table = pl.DataFrame(rows, schema={"text": pl.String, **dict.fromkeys(LABELS, pl.Float64)}, orient="row")
        table.write_parquet(data / f"{name}_labelled.parquet")
        print(f"{name}: {table.height:,} of {len(texts):,} texts have labels")


if __name__ == "__main__":
    try:
        match sys.argv[1:]:
            case ["label", data, folder, name]:
                label(Path(data), Path(folder), name)
            case ["ask", data, folder, name]:
                ask(Path(data), Path(folder), name)
            case ["join", data]:
                join(Path(data))
            case _:
                sys.exit("usage: python -m recipes.labels label|ask DATA FOLDER NAME | join DATA")
    except DataError as error:
        sys.exit(str(error))
