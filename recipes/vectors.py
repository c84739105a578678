"""Word vectors of the domain, learned from unlabelled reviews: `python -m recipes.vectors DATA OUT`.

Skip-gram with negative sampling (Mikolov et al. 2013), by gensim, over the reviews of `imdb_unlabelled` and of
`imdb_train` less those held out. One worker thread and a fixed seed: the same data gives the same file.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
from gensim.models import Word2Vec

from sentiment.config import TextConfig
from sentiment.text.tokenizer import Tokenizer

SIZE = 100
REVIEWS_AT_ONCE = 1000


class Corpus:
    """The tokens of each review, read anew for every pass."""

    def __init__(self, files: list[Path]) -> None:
        tokenizer = Tokenizer(TextConfig())
        self._reviews: list[list[str]] = []
        for file in files:
            for part in pl.read_parquet(file, columns=["text"]).iter_slices(REVIEWS_AT_ONCE):
                self._reviews += [text.tokens for text in tokenizer.tokenize(part["text"].to_list())]

    def __iter__(self) -> Iterator[list[str]]:
        return iter(self._reviews)


def learn(data: Path, out: Path) -> None:
    """Writes the vectors in word2vec's text form."""
    corpus = Corpus([data / "imdb_train.parquet", data / "imdb_unlabelled.parquet"])
    model = Word2Vec(
        corpus, vector_size=SIZE, window=5, min_count=5, sg=1, negative=5, sample=1e-4, epochs=3, workers=1, seed=1
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    model.wv.save_word2vec_format(str(out))
    print(f"{len(model.wv):,} vectors of {SIZE} features: {out}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m recipes.vectors DATA OUT")
    learn(Path(sys.argv[1]), Path(sys.argv[2]))
