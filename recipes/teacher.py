"""Teach an encoder of 109 million parameters every domain: `python -m recipes.teacher DATA ENCODER FOLDER [SEED]`.

It learns a sample of each labelled table of build/data in three classes, its lowest layers frozen, and is judged on
every dev set before it labels anything: `note.json` in its folder says what it learned, how, and how good it is.
Killed, it resumes. `recipes.labels` has it label texts. Another seed draws another sample. With a taught teacher in
place of ENCODER, that one is taught more of the treebank: to label films.
"""

import json
import random
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import torch

from recipes.prepare import LABELS
from sentiment.config import TextConfig, TrainingConfig
from sentiment.evaluation import metrics
from sentiment.terminal.training import training_progress
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.data.dataset import LabelledTexts, exclude_texts
from sentiment.training.data.reading import read_labelled, read_soft_labelled
from sentiment.training.distillation.distil import labelling_dtype, train_teacher
from sentiment.training.distillation.teacher import Teacher, is_teacher
from sentiment.training.recipe import Source
from sentiment.training.resume.checkpoint import Checkpoint

TEACHING = TrainingConfig(
    epochs=1,
    learning_rate=5e-5,
    warmup_share=0.06,
    weight_decay=0.01,
    max_batch_tokens=3200,
    max_batch_rows=160,
    max_tokens=128,
    word_dropout=0.0,
    ema_decay=0.98,
)
FROZEN_LAYERS = 6  # of 12
MIN_WORDS = 4  # of a phrase: shorter ones are half of all, and teach little
SEED = 3  # of the first teacher
ROWS = {  # of each table at most: a large encoder learns from few, and a long text costs as much as five posts
    "sst_train_phrases": 8_000,
    "sst_train": 8_544,
    "valence_train": 4_000,
    "reviews_train": 1_499,
    "templates": 1_342,
    "grammar": 4_000,
    "tweets_train": 22_000,
    "forum_train": 18_000,
    "products_train": 3_000,
    "imdb_train": 1_000,
    "counterfactual_train": 1_200,
}
FILM_ROWS = {"sst_train_phrases": 22_000, "sst_train": 8_544, "valence_train": 3_000, "counterfactual_train": 300}
FILM_TEACHING = TEACHING.model_copy(update={"learning_rate": 3e-5, "max_batch_tokens": 2000, "seed": 1})
SOFT = ("sst_train_phrases", "sst_train", "valence_train")
DEV = (
    "sst_dev", "sst_dev_binary", "tweets_dev", "forum_dev", "products_dev", "counterfactual_dev_edited",
    "contrast_dev_edited", "imdb_dev",
)  # fmt: skip
JUDGED_ROWS = 1_000  # of each dev set: its time is the labelling's
FOLLOWED_ROWS = 100  # of each at the end of its epoch, which is the only one: there is nothing to choose
NOTE = "note.json"


def sampled(part: LabelledTexts, rows: int, seed: int = SEED) -> LabelledTexts:
    """Return at most so many rows, drawn by the seed; of phrases, those that are long enough."""
    long = list(range(len(part.texts)))
    if part.name.startswith("sst_train_phrases"):
        long = [row for row in long if len(part.texts[row].split()) >= MIN_WORDS]
    kept = random.Random(seed).sample(long, min(rows, len(long)))
    soft = part.probabilities
    return replace(
        part,
        texts=[part.texts[row] for row in kept],
        labels=[part.labels[row] for row in kept],
        probabilities=None if soft is None else [soft[row] for row in kept],
    )


def training_rows(data: Path, dev: list[LabelledTexts], tables: Mapping[str, int], seed: int) -> list[LabelledTexts]:
    """Return so many rows of each table at most, without a text of a dev set."""
    parts = []
    for name, rows in tables.items():
        source = Source(path=f"{data}/{name}.parquet")
        part = read_soft_labelled(source, LABELS) if name in SOFT else read_labelled(source)
        parts.append(sampled(exclude_texts(part, dev), rows, seed))
    return parts


def figures(teacher: Teacher, dev: list[LabelledTexts]) -> dict[str, dict[str, float]]:
    """Return the accuracy and the macro-recall on each dev set, among the labels that it holds."""
    tokenizer = Tokenizer(TextConfig())
    found = {}
    for part in dev:
        part = sampled(part, JUDGED_ROWS)
        placed = tokenizer.place(part.texts)
        dtype = labelling_dtype(teacher, placed).dtype
        probabilities, _ = teacher.read(placed, TEACHING.max_tokens, lambda states: states[:0], dtype)  # (N, C)
        true = torch.tensor([LABELS.index(label) for label in part.labels])  # (N,)
        measured = metrics.figures(probabilities, true, LABELS)
        found[part.name.removesuffix(".parquet")] = {
            "rows": measured["rows"],
            "accuracy": round(measured["accuracy"], 4),
            "macro_recall": round(measured["macro_recall"], 4),
        }
    return found


def main(data: Path, encoder: Path, folder: Path, seed: int = SEED) -> None:
    """Write the taught encoder into the folder, unless it is there already, and a note of what it learned."""
    dev = [read_labelled(Source(path=f"{data}/{name}.parquet")) for name in DEV]
    again = is_teacher(encoder)
    rows, teaching = (FILM_ROWS, FILM_TEACHING) if again else (ROWS, TEACHING)
    if not is_teacher(folder):
        train = training_rows(data, dev, rows, seed)
        fingerprint = {part.name: str(len(part.texts)) for part in train} | {
            "settings": teaching.model_dump_json(),
            "seed": str(seed),
        }
        with (
            Checkpoint(folder.with_name(f".{folder.name}.checkpoint"), fingerprint) as checkpoint,
            training_progress("classification") as report,
        ):
            teacher = Teacher.load(encoder) if again else Teacher.start(str(encoder), LABELS)
            teacher.freeze(FROZEN_LAYERS)
            judged = [sampled(part, FOLLOWED_ROWS) for part in dev]
            teacher, _ = train_teacher(teacher, train, judged, teaching, report, checkpoint)
            teacher.save(folder)
            checkpoint.remove()
    if not (folder / NOTE).is_file():
        note = {
            "reader": "all-mpnet-base-v2, 109 million parameters, taught by recipes.teacher",
            "taught_before": json.loads((encoder / NOTE).read_text()) if again else None,
            "rows_taught": rows,
            "frozen_layers": FROZEN_LAYERS,
            "seed": seed,
            "teaching": teaching.model_dump(),
            "figures": figures(Teacher.load(folder), dev),
        }
        (folder / NOTE).write_text(json.dumps(note, indent=1) + "\n")
    for name, each in json.loads((folder / NOTE).read_text())["figures"].items():
        print(f"{name}: accuracy {each['accuracy']:.1%}, macro-recall {each['macro_recall']:.1%}")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit("usage: python -m recipes.teacher DATA ENCODER FOLDER [SEED]")
    data, encoder, folder = map(Path, sys.argv[1:4])
    main(data, encoder, folder, int(sys.argv[4]) if len(sys.argv) == 5 else SEED)
