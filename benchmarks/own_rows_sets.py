"""The tables of `benchmarks.own_rows`, and the rows drawn from them: some to train on, others to judge by."""

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from sentiment.config import Task

JUDGED_ROWS = 2000  # at most, of a table without a dev file
KEPT_ROWS = 500  # of such a table, never trained on


@dataclass(frozen=True)
class OwnSet:
    """A labelled table. Without a file `dev` it is judged on rows that were not drawn."""

    train: str
    dev: str | None = None
    label_column: str = "label"
    language: str = "en"
    task: Task = "classification"
    commonest: int | None = None  # labels to keep, of rows with one; else all


SETS = {
    "tweets": OwnSet("tweets_train", "tweets_dev"),
    "products_new_domains": OwnSet("products_new_domains"),
    "sst": OwnSet("sst_train", "sst_dev", label_column="label5"),
    "forum": OwnSet("forum_train", "forum_dev", label_column="emotions", commonest=8),
    "zh_hotel": OwnSet("zh_hotel_train", "zh_hotel_dev", language="zh"),
    "zh_takeaway": OwnSet("zh_takeaway_train", "zh_takeaway_dev", language="zh"),
    "valence": OwnSet("valence_train", label_column="valence", task="regression"),
}


@dataclass(frozen=True)
class Table:
    """The rows of a set that may be drawn, and those of its dev file: columns `text` and `label`."""

    pool: pl.DataFrame
    dev: pl.DataFrame | None

    @property
    def available(self) -> int:
        """Return how many rows can be drawn at most."""
        return len(self.pool) - (KEPT_ROWS if self.dev is None else 0)

    def draw(self, size: int, subset: int) -> "Draw":
        """Draw so many rows by the number of the subset, or all that are available.

        A draw in which a label has a single row, which `sentiment train` refuses, is repeated.
        """
        rng = random.Random(f"{size} {subset}")
        rows = min(size, self.available)
        while True:
            order = rng.sample(range(len(self.pool)), len(self.pool))
            train = self.pool[order[:rows]]
            if train["label"].dtype != pl.String or train["label"].value_counts()["count"].min() != 1:
                break
        return Draw(train, self.pool[order[rows:][:JUDGED_ROWS]] if self.dev is None else self.dev)


@dataclass(frozen=True)
class Draw:
    """Rows to train on and rows to judge by: columns `text` and `label`."""

    train: pl.DataFrame
    judged: pl.DataFrame

    @property
    def labels(self) -> list[Any]:
        """Return every label, sorted."""
        return sorted({*self.train["label"], *self.judged["label"]})


def read_set(own: OwnSet, data: Path) -> Table:
    """Read a set's files of the folder. A text that occurs twice is drawn at most once, one of the dev file never."""
    pool = _read(own, data / f"{own.train}.parquet").unique("text", keep="first", maintain_order=True)
    dev = None if own.dev is None else _read(own, data / f"{own.dev}.parquet")
    if own.commonest is not None:
        pool = pool.filter(~pl.col("label").str.contains(",", literal=True))
        counts = pool["label"].value_counts().sort(["count", "label"], descending=[True, False])
        kept = pl.col("label").is_in(counts["label"].head(own.commonest).to_list())
        pool, dev = pool.filter(kept), None if dev is None else dev.filter(kept)
    return Table(pool if dev is None else pool.join(dev, on="text", how="anti", maintain_order="left"), dev)


def _read(own: OwnSet, path: Path) -> pl.DataFrame:
    return pl.read_parquet(path).select("text", label=own.label_column)
