"""Word vectors of what a taught encoder makes of each word: `python -m recipes.teacher_vectors DATA FOLDER WORDS OUT`.

Skip-gram puts `good` beside `bad`, as both stand in the same places; a reader that was taught sentiment tells them
apart. Its mean state of each word alone is brought down to few features by their principal components, and written in
word2vec's text form. `WORDS` is such a file: its words are taken, and those of the short texts beside them.
"""

import sys
from itertools import islice
from pathlib import Path

import polars as pl
import torch
from torch import Tensor

from sentiment.batching import PaddedBatch, length_buckets
from sentiment.config import TextConfig
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.states import Projection
from sentiment.training.teacher import LABELLING_BATCH_TOKENS, Teacher

SIZE = 50
SPREAD = 0.4  # the standard deviation of all numbers: about that of GloVe's
FILES = ("sst_train", "valence_train", "reviews_train", "templates")


def words_of(data: Path, known: Path) -> list[str]:
    """The words of a file of vectors, and those of the short texts that it lacks."""
    with known.open() as lines:
        words = dict.fromkeys(line.split(" ", 1)[0] for line in islice(lines, 1, None))
    tokenizer = Tokenizer(TextConfig())
    for name in FILES:
        for text in tokenizer.tokenize(pl.read_parquet(data / f"{name}.parquet")["text"].to_list()):
            words |= dict.fromkeys(text.tokens)
    return list(words)


def states(teacher: Teacher, words: list[str]) -> Tensor:
    """The teacher's mean state of each word alone: (words, F)."""
    token_ids = teacher.encode(words)
    found = torch.empty(len(words), teacher.classifier.in_features)  # (words, F)
    with torch.inference_mode():
        for places in length_buckets([len(row) for row in token_ids], LABELLING_BATCH_TOKENS):
            found[places] = teacher.summary(PaddedBatch.of([token_ids[place] for place in places])).float()  # (N, F)
    return found


def principal(rows: Tensor, size: int) -> Tensor:
    """The rows along their `size` directions of most variance, at the spread of other word vectors: (words, size)."""
    found = Projection.of(rows, size)(rows)  # (words, size)
    return found * (SPREAD / found.std())


def main(data: Path, folder: Path, known: Path, out: Path) -> None:
    """Writes the vectors."""
    words = words_of(data, known)
    reader = Teacher.load(folder)
    vectors = principal(states(reader, words), SIZE)  # (words, F)
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        f"{word} {' '.join(f'{value:.5f}' for value in row)}\n"
        for word, row in zip(words, vectors.tolist(), strict=True)
    )
    with out.open("w") as file:
        file.write(f"{len(words)} {SIZE}\n")
        file.writelines(lines)
    print(f"{len(words):,} vectors of {SIZE} features: {out}")


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit("usage: python -m recipes.teacher_vectors DATA FOLDER WORDS OUT")
    main(*map(Path, sys.argv[1:]))
