"""The settings of a job that decide the bytes of its output."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sentiment.errors import ConfigError
from sentiment.scoring.formats.rows import Selection
from sentiment.storage.formats import check_separator

SHARD_ROWS = 1 << 16  # what a crash costs at most; smaller ones make a longer checkpoint, written more often


@dataclass(frozen=True)
class ScoringSettings:
    """Raises ConfigError for one out of its range."""

    text_column: str = "text"
    columns: Sequence[str] | None = None  # of the input, to keep; None: all
    separator: str | None = None  # between the cells of CSV and TSV inputs, where the suffix doesn't say it
    prefix: str = ""  # of the names of the columns that are added
    top_only: bool = False  # add the label and its probability, no more
    sentences: bool = False  # add what each sentence says alone, and whether two of them disagree
    strict: bool = False  # put texts aside that are too long to be read in full
    threshold: float = 0.0  # under this probability the label is "uncertain"
    escape_formulas: bool = True  # in CSV, what a spreadsheet would run
    shard_rows: int = SHARD_ROWS

    def __post_init__(self) -> None:
        check_separator(self.separator)
        if self.shard_rows < 1:
            raise ConfigError(f"shard_rows: at least 1, not {self.shard_rows}")
        if not 0 <= self.threshold <= 1:
            raise ConfigError(f"threshold: a probability of 0 to 1, not {self.threshold}")
        if self.sentences and self.top_only:
            raise ConfigError("sentences and top_only: one adds columns, the other leaves them out; give one")

    def selection(self, added: Collection[str]) -> Selection:
        """Return the columns of an input that matter where those `added` follow them."""
        kept = None if self.columns is None else list(dict.fromkeys(self.columns))
        return Selection(self.text_column, added, kept, self.separator)
