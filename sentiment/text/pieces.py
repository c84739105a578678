"""Parts of words, learned from the words of a corpus, by which words that a vocabulary lacks are read.

As WordPiece's (Schuster and Nakajima 2012), a piece that continues a word is written `##ing`; one that begins a word is
`##^terr`, so that it is never taken for the word "terr".
"""

import math
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping

CONTINUES = "##"
BEGINS = "##^"
MAX_PIECE = 8  # characters
MAX_PIECES = 8  # of a word
MAX_WORD = 40  # characters; what is longer is hardly a word
_MIN_FIRST_WORD = 4  # characters of a known word that a longer one may well be made of
_TYPES_READ = 150_000  # the most frequent: rarer ones are names and noise


def is_piece(token: str) -> bool:
    """Return whether a vocabulary's token is a part of words: text never gives such a token, as `#` is split off."""
    return token.startswith(CONTINUES) and len(token) > len(CONTINUES)


def bare(piece: str) -> str:
    """Return the characters of a piece."""
    return piece.removeprefix(BEGINS if piece.startswith(BEGINS) else CONTINUES)


def learn_pieces(counts: Mapping[str, int], words: Container[str], number: int) -> list[str]:
    """Return the `number` pieces, fewer if there are no more, that read the words of `counts` best, in order of use.

    First every character that is frequent enough. The others are those of the most frequent parts that are used when
    each word is read by its longest pieces; none begins a word that a known one (of `words`) of four letters begins.
    """
    types = sorted(
        (word for word in counts if 1 < len(word) <= MAX_WORD and word[0] != "<"),
        key=lambda word: (-counts[word], word),
    )
    weights = {word: math.log1p(counts[word]) for word in types[:_TYPES_READ]}
    characters: dict[str, float] = defaultdict(float)
    parts: dict[str, float] = defaultdict(float)
    for word, weight in weights.items():
        for piece in parts_of(word, 1):
            characters[piece] += weight
        if word.isalpha():
            for piece in parts_of(word, MAX_PIECE):
                parts[piece] += weight * (len(piece) - len(CONTINUES))
    single = _largest(characters, number // 2)
    longer = {
        piece: weight
        for piece, weight in parts.items()
        if len(bare(piece)) > 1
        and not (piece.startswith(BEGINS) and len(bare(piece)) >= _MIN_FIRST_WORD and bare(piece) in words)
    }
    candidates = {*single, *_largest(longer, 3 * number)}
    used: dict[str, float] = defaultdict(float)
    for word, weight in weights.items():
        for piece in greedy(word, candidates) or ():
            used[piece] += weight
    kept = _largest({piece: weight for piece, weight in used.items() if piece in longer}, number - len(single))
    return [*single, *kept]


def greedy(word: str, pieces: Container[str], known: Container[str] = ()) -> list[str] | None:
    """Cover the word by the longest piece or known word, and so on with the rest; None if that fails.

    A piece goes before a known word of the same length, and the whole word is never taken.
    """
    if len(word) > MAX_WORD:
        return None
    found: list[str] = []
    start = 0
    while start < len(word):
        for end in range(len(word) if start else len(word) - (word in known), start, -1):
            part = word[start:end]
            if end - start <= MAX_PIECE and (piece := (CONTINUES if start else BEGINS) + part) in pieces:
                break
            if not start and end < len(word) and part in known:
                piece = part
                break
        else:
            return None
        found.append(piece)
        if len(found) > MAX_PIECES:
            return None
        start = end
    return found


def parts_of(word: str, longest: int) -> Iterator[str]:
    """Yield the pieces that the word may contain, at its beginning or later, of at most so many characters."""
    for end in range(1, min(longest, len(word)) + 1):
        yield BEGINS + word[:end]
    for start in range(1, len(word)):
        for end in range(start + 1, min(start + longest, len(word)) + 1):
            yield CONTINUES + word[start:end]


def _largest(weights: Mapping[str, float], number: int) -> list[str]:
    return sorted(weights, key=lambda piece: (-weights[piece], piece))[:number]
