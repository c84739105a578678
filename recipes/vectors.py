"""Learn word vectors from the reviews and posts themselves: `python -m recipes.vectors DATA OUT`.

Skip-gram with negative sampling (Mikolov et al. 2013), by gensim, over film reviews, less those held out, product
reviews, tweets and forum comments. One worker thread and a fixed seed: the same data gives the same file.
"""

import sys
from pathlib import Path

import polars as pl
from gensim.models import Word2Vec

from sentiment.config import TextConfig
from sentiment.text.tokenizer import Tokenizer

SIZE = 100
TEXTS_AT_ONCE = 1000
FILES = ("imdb_train", "imdb_unlabelled", "products_train", "products_unlabelled", "tweets_train", "forum_train")


def tokens(files: list[Path]) -> list[list[str]]:
    """Return the tokens of each text."""
    tokenizer = Tokenizer(TextConfig())
    found: list[list[str]] = []
    for file in files:
        for part in pl.read_parquet(file, columns=["text"]).iter_slices(TEXTS_AT_ONCE):
            found += [text.tokens for text in tokenizer.tokenize(part["text"].to_list())]
    return found


def learn(data: Path, out: Path) -> None:
    """Write the vectors in word2vec's text form."""
    corpus = tokens([data / f"{name}.parquet" for name in FILES])
    model = Word2Vec(
        corpus, vector_size=SIZE, window=5, min_count=4, sg=1, negative=5, sample=1e-4, epochs=3, workers=1, seed=1
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    model.wv.save_word2vec_format(str(out))
    print(f"{len(model.wv):,} vectors of {SIZE} features: {out}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m recipes.vectors DATA OUT")
    learn(Path(sys.argv[1]), Path(sys.argv[2]))
