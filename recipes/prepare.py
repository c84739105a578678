"""Lay out the tables that the recipes read: `python -m recipes.prepare DATA build/data`.

5,000 reviews are held out of IMDb's training half by seed, before anything else sees it. None of them is the original
of a counterfactual or contrast pair, whose other side would give it away.
"""

import random
import sys
from pathlib import Path
from statistics import NormalDist

import polars as pl

SEED = 13
HELD_OUT_REVIEWS = 5_000
COPIED = (
    "imdb_unlabelled",
    "sst_train_phrases",
    "sst_train",
    "sst_dev",
    "counterfactual_train",
    "valence_train",
    "reviews_train",
    "tweets_train",
    "tweets_dev",
    "forum_train",
    "forum_dev",
    "products_train",
    "products_dev",
    "products_unlabelled",
)
PAIRED = ("counterfactual_train", "counterfactual_dev", "contrast_dev")

LABELS = ("negative", "neutral", "positive")
# What the treebank's five grades say of three classes: "very good" leaves less doubt than "good".
GRADES = {
    "very negative": (0.98, 0.015, 0.005),
    "negative": (0.88, 0.10, 0.02),
    "neutral": (0.06, 0.88, 0.06),
    "positive": (0.02, 0.10, 0.88),
    "very positive": (0.005, 0.015, 0.98),
}
NEUTRAL_VALENCE = 0.5  # on both sides of 0: where the data's own labels draw the line
VALENCE_SPREAD = 0.8  # how far one reader's valence lies from the mean of all, in valence points


def graded(table: pl.DataFrame) -> pl.DataFrame:
    """Return the treebank's rows with a probability of each class for their grade."""
    columns = (
        pl.col("label5").replace_strict({grade: shares[place] for grade, shares in GRADES.items()}).alias(label)
        for place, label in enumerate(LABELS)
    )
    return table.with_columns(*columns)


def rated(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rated rows with the share of readers who would call each negative, neutral and positive."""
    readers = NormalDist(0, VALENCE_SPREAD)
    shares = []
    for valence in table["valence"].to_list():
        negative, positive = readers.cdf(-NEUTRAL_VALENCE - valence), readers.cdf(valence - NEUTRAL_VALENCE)
        shares.append((negative, 1 - negative - positive, positive))
    return table.hstack(pl.DataFrame(shares, schema=list(LABELS), orient="row"))


def prepare(data: Path, out: Path) -> None:
    """Write the tables; their text stays as it is."""
    out.mkdir(parents=True, exist_ok=True)

    def write(name: str, frame: pl.DataFrame) -> None:
        frame.write_parquet(out / f"{name}.parquet")
        print(f"{name}: {frame.height:,} rows")

    for name in COPIED:
        write(name, pl.read_parquet(data / f"{name}.parquet"))
    for name in ("sst_train_phrases", "sst_train"):
        write(name, graded(pl.read_parquet(data / f"{name}.parquet")))
    write("valence_train", rated(pl.read_parquet(data / "valence_train.parquet")))
    write("sst_dev_binary", pl.read_parquet(data / "sst_dev.parquet").filter(pl.col("label") != "neutral"))
    edited = pl.read_parquet(data / "counterfactual_dev.parquet").filter(pl.col("variant") == "revised")
    write("counterfactual_dev_edited", edited)
    contrast = pl.read_parquet(data / "contrast_dev.parquet").filter(pl.col("variant") == "contrast")
    write("contrast_dev_edited", contrast)

    reviews = pl.read_parquet(data / "imdb_train.parquet")
    paired = pl.concat([pl.read_parquet(data / f"{name}.parquet")["text"] for name in PAIRED]).implode()
    free = reviews.with_row_index("row").filter(~pl.col("text").is_in(paired))["row"].to_list()
    held_out = set(random.Random(SEED).sample(free, HELD_OUT_REVIEWS))
    inside = pl.Series([row in held_out for row in range(reviews.height)])
    write("imdb_dev", reviews.filter(inside))
    write("imdb_train", reviews.filter(~inside))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m recipes.prepare DATA OUT")
    prepare(Path(sys.argv[1]), Path(sys.argv[2]))
