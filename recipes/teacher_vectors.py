"""Keep what a taught encoder makes of each word alone, in `recipes/labels/words`, as word vectors.

Skip-gram puts `good` beside `bad`, as both occur in the same places; a model trained on sentiment tells them
apart. Its mean state of a word is brought down to few features by the states' principal components.

`python -m recipes.teacher_vectors keep DATA TEACHER WORDS` gives a teacher the words of the short texts, and the most
frequent ones of WORDS, a file in word2vec's text form.
`python -m recipes.teacher_vectors write OUT` writes what is kept in that form, and needs no teacher.
"""

import json
import sys
from itertools import islice
from pathlib import Path

import polars as pl
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from recipes.teacher import NOTE
from sentiment.batching import PaddedBatch, length_buckets
from sentiment.config import TextConfig
from sentiment.nn.precision import autocast, choose_dtype
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.distillation.teacher import LABELLING_BATCH_TOKENS, Teacher
from sentiment.training.distillation.token_states import Projection

KEPT = Path(__file__).parent / "labels" / "words"
VECTORS, WORDS = "vectors.safetensors", "words.json"
SIZE = 50
MAX_WORDS = 50_000  # 5 MB of vectors
SPREAD = 0.4  # the standard deviation of all numbers: about that of GloVe's
FILES = ("sst_train", "valence_train", "reviews_train", "templates")
MEASURED_WORDS = 256  # that the number format is chosen by


def words_of(data: Path, known: Path) -> list[str]:
    """Return the words of the short texts, then those of a file of vectors, as many as are kept."""
    words: dict[str, None] = {}
    tokenizer = Tokenizer(TextConfig())
    for name in FILES:
        for text in tokenizer.tokenize(pl.read_parquet(data / f"{name}.parquet")["text"].to_list()):
            words |= dict.fromkeys(text.tokens)
    with known.open() as lines:
        words |= dict.fromkeys(line.split(" ", 1)[0] for line in islice(lines, 1, None))
    return list(islice(words, MAX_WORDS))


def states(teacher: Teacher, words: list[str], dtype: str) -> Tensor:
    """Return the teacher's mean state of each word alone, computed in a number format: (words, F)."""
    token_ids = teacher.encode(words)
    found = torch.empty(len(words), teacher.classifier.in_features)  # (words, F)
    with torch.inference_mode(), autocast(dtype):
        for places in length_buckets([len(row) for row in token_ids], LABELLING_BATCH_TOKENS):
            found[places] = teacher.summary(PaddedBatch.of([token_ids[place] for place in places])).float()  # (N, F)
    return found


def principal(rows: Tensor, size: int) -> Tensor:
    """Return the rows along their `size` directions of most variance, spread as other vectors are: (words, size)."""
    found = Projection.of(rows, size)(rows)  # (words, size)
    return found * (SPREAD / found.std())


def keep(data: Path, folder: Path, known: Path) -> None:
    """Write the words, the vectors that the teacher in `folder` gives them, and a note of that teacher."""
    words = words_of(data, known)
    note = json.loads((folder / NOTE).read_text())
    teacher = Teacher.load(folder)
    dtype = choose_dtype(lambda dtype: states(teacher, words[:MEASURED_WORDS], dtype)).dtype
    vectors = principal(states(teacher, words, dtype), SIZE)  # (words, F)
    KEPT.mkdir(parents=True, exist_ok=True)
    save_file({"vectors": vectors.half()}, KEPT / VECTORS)
    (KEPT / WORDS).write_text(json.dumps(words, ensure_ascii=False))
    (KEPT / NOTE).write_text(json.dumps({"words": len(words), **note}, indent=1) + "\n")
    print(f"{len(words):,} vectors of {SIZE} features: {KEPT}")


def write(out: Path) -> None:
    """Write the vectors that are kept."""
    words = json.loads((KEPT / WORDS).read_text())
    vectors = load_file(KEPT / VECTORS)["vectors"].float()  # (words, F)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("w") as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n")
        for word, row in zip(words, vectors.tolist(), strict=True):
            file.write(f"{word} {' '.join(f'{value:.5g}' for value in row)}\n")
    print(f"{len(words):,} vectors of {vectors.shape[1]} features: {out}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keep", data, folder, known]:
            keep(Path(data), Path(folder), Path(known))
        case ["write", out]:
            write(Path(out))
        case _:
            sys.exit("usage: python -m recipes.teacher_vectors keep DATA TEACHER WORDS | write OUT")
