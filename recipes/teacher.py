"""Labels sentences for the default model: `python -m recipes.teacher DATA ENCODER FOLDER TEXTS.parquet OUT.parquet`.

An encoder of 109 million parameters learns the treebank's phrases and sentences, rated posts and review sentences, and
says what it makes of each text and of each token in it. Killed, it goes on where it was. Two threads give the shipped
numbers.
"""

import json
import random
import sys
import warnings
from functools import partial
from pathlib import Path

import torch
from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

from recipes.prepare import LABELS
from sentiment.config import TextConfig, TrainingConfig
from sentiment.nn.precision import DTYPES, measure
from sentiment.terminal.training import training_progress
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.checkpoint import Checkpoint
from sentiment.training.dataset import LabelledTexts, without
from sentiment.training.distillation import LABELLING, MEASURED_TEXTS, label_texts, teach
from sentiment.training.reading import read_labelled, read_soft_labelled, read_texts
from sentiment.training.recipe import Source
from sentiment.training.teacher import Teacher, is_taught

TEACHING = TrainingConfig(
    epochs=1,
    learning_rate=4e-5,
    warmup_share=0.06,
    weight_decay=0.01,
    max_batch_tokens=1600,
    max_batch_rows=100,
    max_tokens=128,
    word_dropout=0.0,
    ema_decay=0.99,
)
FROZEN_LAYERS = 4  # of 12
MIN_WORDS = 4  # of a phrase: shorter ones are half of all, and teach little
PHRASES = 16_000  # of 93,000: a large encoder learns composition from few
SEED = 3
# What these two layers read holds a few numbers so large that integers would leave nothing of the others.
IN_FLOAT = ("encoder.layer.6.output.dense", "encoder.layer.7.output.dense")
INT8 = "int8"
SOFT = ("sst_train", "valence_train")
HARD = ("reviews_train", "templates")


def phrases(data: Path) -> LabelledTexts:
    """Some of the treebank's phrases that are long enough."""
    found = read_soft_labelled(Source(path=data / "sst_train_phrases.parquet"), LABELS)
    assert found.probabilities is not None
    long = [row for row, text in enumerate(found.texts) if len(text.split()) >= MIN_WORDS]
    kept = [long[place] for place in random.Random(SEED).sample(range(len(long)), min(PHRASES, len(long)))]
    return LabelledTexts(
        name="sst_train_phrases",
        texts=[found.texts[row] for row in kept],
        labels=[found.labels[row] for row in kept],
        probabilities=[found.probabilities[row] for row in kept],
    )


def reader(folder: Path, texts: list[str]) -> tuple[Teacher, str]:
    """Return the taught encoder and the format in which it labels `texts` soonest: a dtype, or integers of 8 bits.

    The choice is kept in the folder: labels of one file are all of one format.
    """
    kept = folder / "format.json"
    exact, integers = Teacher.load(folder), in_integers(Teacher.load(folder))
    if not kept.is_file():
        placed = Tokenizer(TextConfig()).place(texts[:MEASURED_TEXTS])
        read = partial(exact.read, placed, TEACHING.max_tokens, lambda states: states)
        seconds = measure(
            {dtype: partial(read, dtype) for dtype in DTYPES}
            | {INT8: partial(integers.read, placed, TEACHING.max_tokens, lambda states: states)}
        )
        kept.write_text(json.dumps(min(seconds, key=seconds.__getitem__)))
    chosen = json.loads(kept.read_text())
    return (integers, "float32") if chosen == INT8 else (exact, chosen)


def in_integers(teacher: Teacher) -> Teacher:
    """Return the teacher with its encoder's weights as integers of 8 bits, where that loses little."""
    dense = [name for name, part in teacher.encoder.named_modules() if isinstance(part, torch.nn.Linear)]
    names = {name: per_channel_dynamic_qconfig for name in dense if name not in IN_FLOAT}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this way of making integers will be another package's one day
        teacher.encoder = quantize_dynamic(teacher.encoder, names, dtype=torch.qint8)
    return teacher


def main(data: Path, encoder: Path, folder: Path, texts: Path, out: Path) -> None:
    """Writes the taught encoder into the folder, once, and the texts with its labels."""
    if not is_taught(folder):
        dev = [read_labelled(Source(path=data / "sst_dev.parquet"))]
        train = [phrases(data)]
        train += [read_soft_labelled(Source(path=data / f"{name}.parquet"), LABELS) for name in SOFT]
        train += [read_labelled(Source(path=data / f"{name}.parquet")) for name in HARD]
        train = [without(part, dev) for part in train]
        identity = {part.name: str(len(part.texts)) for part in train} | {"settings": TEACHING.model_dump_json()}
        with (
            Checkpoint(folder.with_name(f".{folder.name}.checkpoint"), identity) as checkpoint,
            training_progress("classification") as report,
        ):
            teacher = Teacher.start(str(encoder), LABELS)
            teacher.freeze(FROZEN_LAYERS)
            teacher, score = teach(teacher, train, dev, TEACHING, report, checkpoint)
            teacher.save(folder)
            checkpoint.remove()
        print(f"teacher: dev macro-recall {score:.1%}")
    teacher, dtype = reader(folder, read_texts(Source(path=texts)))
    rows = label_texts(teacher, Source(path=texts), out, TextConfig(), folder / LABELLING, dtype)
    print(f"{out.stem}: {rows:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit("usage: python -m recipes.teacher DATA ENCODER FOLDER TEXTS.parquet OUT.parquet")
    main(*map(Path, sys.argv[1:]))
