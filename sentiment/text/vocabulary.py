"""Tokens to token ids."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product
from typing import NamedTuple

from sentiment.errors import ConfigError
from sentiment.text.pieces import BEGINS, MAX_WORD, bare, greedy, is_piece, learn_pieces

PAD = "<pad>"
UNK = "<unk>"
PAD_ID = 0
UNK_ID = 1

MAX_PARTS = 4096  # more than tokens; then `<unk>`: a text of made-up words can't become eight times as long
HASH = "#"
MAX_WORDS_OF_HASHTAG = 6
_MIN_WORD_OF_HASHTAG = 2  # letters: any text can be cut into single ones
_ELONGATED = re.compile(r"([^\W\d_])\1\1")
_RUNS = re.compile(r"([^\W\d_])\1+")
_MAX_RUNS = 4  # of an elongated word; each has two ways to be read
_CUT_TO_ONE = 64  # how much rarer a word may be that keeps a doubled letter: "tooo" is "too", and "sooo" is "so"


class Part(NamedTuple):
    """An id that a token is read as, and the number of its characters that it covers."""

    token_id: int
    length: int
    continues: bool = False  # the part of the word before


class Vocabulary:
    """Token ids by place in `tokens`, which begins `<pad>`, `<unk>`; among them may be pieces of words (pieces.py).

    With pieces a word that it lacks is read as the word that was elongated, as the words that make up a hashtag, or by
    its pieces; without any it is `<unk>`.
    """

    def __init__(self, tokens: Sequence[str]) -> None:
        if list(tokens[:2]) != [PAD, UNK]:
            raise ValueError(f"a vocabulary begins {PAD}, {UNK}, not {list(tokens[:2])}")
        if not all(isinstance(token, str) for token in tokens):
            raise ValueError("a vocabulary contains str only")
        if len(set(tokens)) != len(tokens):
            raise ValueError(f"a vocabulary contains each token once: {len(tokens) - len(set(tokens))} stand twice")
        self.tokens = tuple(tokens)
        known = [(token, token_id) for token_id, token in enumerate(tokens) if token_id > UNK_ID]
        self._ids = {token: token_id for token, token_id in known if not is_piece(token)}
        self.pieces = {token: token_id for token, token_id in known if is_piece(token)}
        self._piece_ids = frozenset(self.pieces.values())
        self._continuing_ids = frozenset(
            token_id for piece, token_id in self.pieces.items() if not piece.startswith(BEGINS)
        )

    @classmethod
    def build(
        cls, texts: Iterable[Iterable[str]], *, max_size: int, min_count: int = 1, pieces: int = 0
    ) -> "Vocabulary":
        """Build from the most frequent tokens, by (-count, token), and `pieces`: the same data gives the same file."""
        if max_size < 2:
            raise ConfigError(f"max_size: at least 2, for {PAD} and {UNK}, not {max_size}")
        counts = Counter(token for tokens in texts for token in tokens)
        for special in (PAD, UNK):
            counts.pop(special, None)
        frequent = (token for token, count in counts.items() if count >= min_count and not is_piece(token))
        kept = sorted(frequent, key=lambda token: (-counts[token], token))
        words = kept[: max_size - 2]
        learned = learn_pieces(counts, frozenset(words), pieces) if pieces else []
        return cls([PAD, UNK, *words, *(piece for piece in learned if piece not in counts)])

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def words(self) -> list[str]:
        """Return the tokens that occur in text, the most frequent first."""
        return list(self._ids)

    def encode(self, tokens: Sequence[str]) -> list[int]:
        """Return the ids that the tokens are read as, one or more each: (T,)."""
        ids = self._ids
        found = [ids.get(token, UNK_ID) for token in tokens]
        if not self.pieces or UNK_ID not in found:
            return found
        token_ids: list[int] = []
        for place, token_id in enumerate(found):
            if token_id == UNK_ID and len(token_ids) - place < MAX_PARTS:
                token_ids += [part.token_id for part in self._unknown(tokens, place)]
            else:
                token_ids.append(token_id)
        return token_ids

    def read(self, tokens: Sequence[str]) -> list[list[Part]]:
        """Return the parts that each token is read as, in order: their ids are those of `encode`."""
        found: list[list[Part]] = []
        more = 0
        for place, token in enumerate(tokens):
            token_id = self._ids.get(token, UNK_ID)
            is_whole = token_id != UNK_ID or not self.pieces or more >= MAX_PARTS
            found.append([Part(token_id, len(token))] if is_whole else self._unknown(tokens, place))
            more += len(found[-1]) - 1
        return found

    def spell(self, word: str) -> list[Part] | None:
        """Return the word by its pieces, whether it has an id of its own or not; None where they don't cover it."""
        found = greedy(word, self.pieces, self._ids)
        if found is None:
            return None
        parts = []
        for piece in found:
            token_id = self.pieces.get(piece)
            if token_id is None:
                parts.append(Part(self._ids[piece], len(piece)))
            else:
                parts.append(Part(token_id, len(bare(piece)), continues=bool(parts)))
        return parts

    def is_unknown(self, token_ids: Sequence[int]) -> list[bool]:
        """Return whether each id is `<unk>`, or one of those that a word is read as that the vocabulary lacks."""
        unknown = [token_id == UNK_ID or token_id in self._piece_ids for token_id in token_ids]
        for place in range(len(token_ids) - 1):
            if token_ids[place + 1] in self._continuing_ids:
                unknown[place] = True  # a known word that begins an unknown one
        return unknown

    def count(self, token_ids: Sequence[int]) -> tuple[int, int]:
        """Return how many words the ids stand for, and how many of these are unknown."""
        if self._piece_ids.isdisjoint(token_ids):
            return len(token_ids), token_ids.count(UNK_ID)
        begins = [not place or each not in self._continuing_ids for place, each in enumerate(token_ids)]
        unknown = self.is_unknown(token_ids)
        return sum(begins), sum(first and lacked for first, lacked in zip(begins, unknown, strict=True))

    def _unknown(self, tokens: Sequence[str], place: int) -> list[Part]:
        """Return the parts of the token there, which has no id of its own."""
        word = tokens[place]
        nothing = [Part(UNK_ID, len(word))]
        if len(word) > MAX_WORD or word.startswith("<"):  # as the stand-in for a URL does
            return nothing
        if squeezed := self._squeezed(word):
            return [Part(squeezed, len(word))]
        if place and tokens[place - 1] == HASH and (words := self._words_of_hashtag(word)):
            return words
        return self.spell(word) or nothing

    def _squeezed(self, word: str) -> int | None:
        """Return the id of the likeliest known word of an elongated one, with its runs cut to two or one."""
        runs = list(_RUNS.finditer(word)) if _ELONGATED.search(word) else []
        if not 0 < len(runs) <= _MAX_RUNS:
            return None
        found: list[tuple[int, int]] = []
        for lengths in product((2, 1), repeat=len(runs)):
            pieces: list[str] = []
            done = 0
            for run, length in zip(runs, lengths, strict=True):
                pieces += (word[done : run.start()], run[1] * length)
                done = run.end()
            token_id = self._ids.get("".join(pieces) + word[done:])
            if token_id is not None:
                found.append((token_id * _CUT_TO_ONE ** lengths.count(1), token_id))
        return min(found)[1] if found else None

    def _words_of_hashtag(self, body: str) -> list[Part] | None:
        """Return the likeliest known words, six at most, that make up a hashtag, by their ranks and Zipf's law."""
        log_size = math.log(len(self.tokens))
        best: list[tuple[float, list[Part]] | None] = [(0.0, [])] + [None] * len(body)
        for end in range(_MIN_WORD_OF_HASHTAG, len(body) + 1):
            for start in range(end - _MIN_WORD_OF_HASHTAG + 1):
                before, token_id = best[start], self._ids.get(body[start:end])
                if before is None or token_id is None or len(before[1]) == MAX_WORDS_OF_HASHTAG:
                    continue
                cost = before[0] + math.log(token_id) + math.log(log_size)
                here = best[end]
                if here is None or cost < here[0]:
                    best[end] = cost, [*before[1], Part(token_id, end - start)]
        whole = best[-1]
        return whole[1] if whole else None
