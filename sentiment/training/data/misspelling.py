"""Misspell some words during training, so that word pieces are learned, too."""

import random
from collections.abc import Sequence

import torch

from sentiment.text.pieces import CONTINUES
from sentiment.text.vocabulary import UNK_ID, Vocabulary

TYPOS = 4  # of a word, beside its own pieces
_MIN_LETTERS = 4  # of a word that has typos; shorter ones become other words
_SPELT = 3  # letters of a word that is read by its pieces
_KEYBOARD = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEIGHBOURS = {
    key: "".join(row[position - 1 : position] + row[position + 1 : position + 2])
    for row in _KEYBOARD
    for position, key in enumerate(row)
}


class Misspelling:
    """The readings of each word of a vocabulary with pieces: its own pieces, or those of a few typos.

    A typo that is a known word is left out: it would teach that word another's meaning.
    """

    def __init__(self, vocabulary: Vocabulary, rate: float, seed: int) -> None:
        self._rate = rate
        rng = random.Random(seed)
        self._variants: list[list[list[int]]] = [[] for _ in vocabulary.tokens]
        for token_id, token in enumerate(vocabulary.tokens):
            if len(token) >= _SPELT and token.isalpha():
                self._variants[token_id] = _variants(token, vocabulary, rng)
        self._continues = [token.startswith(CONTINUES) for token in vocabulary.tokens]

    def __call__(self, rows: Sequence[list[int]]) -> list[list[int]]:
        """Replace this share of the rows' words, drawn by torch's generator."""
        lengths = [len(row) for row in rows]
        draws = torch.rand(sum(lengths))  # (tokens,)
        chosen = (draws < self._rate).nonzero().flatten()  # (chosen,)
        picks = (draws[chosen] / self._rate).tolist()
        read = [list(row) for row in rows]
        row, start = len(rows) - 1, len(draws) - lengths[-1]
        for position, pick in zip(reversed(chosen.tolist()), reversed(picks), strict=True):  # the last one first
            while position < start:
                row -= 1
                start -= lengths[row]
            at = position - start
            variants = self._variants[rows[row][at]]
            begins_another = at + 1 < lengths[row] and self._continues[rows[row][at + 1]]
            if variants and not begins_another:
                read[row][at : at + 1] = variants[min(int(pick * len(variants)), len(variants) - 1)]
        return read


def _variants(word: str, vocabulary: Vocabulary, rng: random.Random) -> list[list[int]]:
    """Return the ways to read the word by pieces, as it is written and misspelt."""
    spelt = vocabulary.spell(word)
    found = [[part.token_id for part in spelt]] if spelt else []
    if len(word) >= _MIN_LETTERS:
        for typo in dict.fromkeys(_typo(word, rng) for _ in range(TYPOS)):
            token_ids = vocabulary.encode([typo])
            if UNK_ID not in token_ids and all(vocabulary.is_unknown(token_ids)) and token_ids not in found:
                found.append(token_ids)
    return found


def _typo(word: str, rng: random.Random) -> str:
    """Misspell the word: swap two letters, or omit, double or mistype one. Its first letter stays."""
    position = rng.randrange(1, len(word))
    before, letter, after = word[:position], word[position], word[position + 1 :]
    match rng.randrange(4):
        case 0 if after:
            return before + after[0] + letter + after[1:]
        case 1:
            return before + letter + letter + after
        case 2 if letter in _NEIGHBOURS:
            return before + rng.choice(_NEIGHBOURS[letter]) + after
    return before + after
