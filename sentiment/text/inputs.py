"""Take what people hand over as texts: a list, a Series, a column of Arrow or Polars, an array of NumPy."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import TypeVar

from sentiment.errors import DataError, TextError
from sentiment.text.tokenizer import AlignedTokens, Tokens

BLANK = "is empty or blank"
ReadT = TypeVar("ReadT")
TokensT = TypeVar("TokensT", Tokens, AlignedTokens)


def checked_texts(texts: Iterable[str]) -> list[str]:
    """Return the texts of a list, a tuple, a Series, an array of NumPy, or a column of Arrow or Polars.

    Raises DataError for anything else than a column of texts, and TextError, with its index, if one is blank, not a
    str or not valid Unicode.
    """
    found = column_of(texts)
    for index, text in enumerate(found):
        _check(index, text)
    return found


def read_each(texts: Sequence[str], read: Callable[[Sequence[str]], Sequence[ReadT]]) -> list[ReadT | str]:
    """Return what `read` makes of each text, or why it can't be read: one that fails costs the others nothing."""
    found: list[ReadT | str] = []
    while len(found) < len(texts):
        rest = texts[len(found) :]
        try:
            found += read(rest)
        except TextError as error:  # those after the one refused are still to be read, and those before it once more:
            found += read_each(rest[: error.index], read)  # what is blank in its one form is refused after all others
            found.append(error.reason)
    return found


def refuse_blank(texts: Sequence[TokensT]) -> Sequence[TokensT]:
    """Return the texts. Raises TextError, naming the index, for one of markup or invisible signs alone."""
    for index, text in enumerate(texts):
        if not text.tokens:
            raise TextError(index, BLANK)
    return texts


def column_of(texts: Iterable[str]) -> list[str]:
    """Return the elements of a column of texts. Raises DataError for anything else."""
    if not isinstance(texts, list) and (reason := _not_a_column(texts)):
        raise DataError(f"texts are a list of str, {reason}")
    # Arrow's own elements are no str. Read twice: an iterator would be empty the second time.
    return texts.to_pylist() if hasattr(texts, "to_pylist") else list(texts)


def _not_a_column(texts: object) -> str | None:
    """Return what to pass instead of something that has no texts in an order; None for what has."""
    if isinstance(texts, str):
        return "not a str: wrap a single one in []"
    if isinstance(texts, bytes | bytearray | memoryview):
        return f"not {type(texts).__name__}: decode them, as in [texts.decode()]"
    if isinstance(texts, Mapping):
        return f"not a {type(texts).__name__}: pass the texts in it, as in list(texts.values())"
    if isinstance(texts, set | frozenset):
        return f"not a {type(texts).__name__}, which has no order: pass a list"
    shape = tuple(getattr(texts, "shape", (0,)))
    if len(shape) != 1:
        names = list(getattr(texts, "column_names", getattr(texts, "columns", ())))  # Arrow's, else pandas' and Polars'
        if not names:
            return f"not an array of shape {shape}: pass one of shape (N,), as in array[:, 0]"
        column, others = "text" if "text" in names else names[0], ", ".join(map(str, names))
        return f"not a table: pass one of its columns, as in table[{column!r:.60}], of {others:.200}"
    if isinstance(texts, Iterable | Sized):  # the latter by their places, as PyTorch's data sets are read
        return None
    return f"not {type(texts).__name__}: pass a list, a Series or an array of str"


def _check(index: int, text: object) -> None:
    if not isinstance(text, str):
        raise TextError(index, f"must be a str, not {type(text).__name__}")
    if not text or text.isspace():
        raise TextError(index, BLANK)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        surrogate = f"U+{ord(text[error.start]):04X}"
        reason = f"holds the lone surrogate {surrogate} at character {error.start}: it is not valid Unicode"
        raise TextError(index, reason) from None
