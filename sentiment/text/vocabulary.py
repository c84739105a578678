"""Tokens to token ids."""

from collections import Counter
from collections.abc import Iterable, Sequence

from sentiment.errors import ConfigError

PAD = "<pad>"
UNK = "<unk>"
PAD_ID = 0
UNK_ID = 1


class Vocabulary:
    """Token ids by place in `tokens`, which begins `<pad>`, `<unk>`."""

    def __init__(self, tokens: Sequence[str]) -> None:
        if list(tokens[:2]) != [PAD, UNK]:
            raise ValueError(f"a vocabulary begins {PAD}, {UNK}, not {list(tokens[:2])}")
        if not all(isinstance(token, str) for token in tokens):
            raise ValueError("a vocabulary holds str only")
        if len(set(tokens)) != len(tokens):
            raise ValueError(f"a vocabulary holds each token once: {len(tokens) - len(set(tokens))} stand twice")
        self.tokens = tuple(tokens)
        self._ids = {token: token_id for token_id, token in enumerate(tokens) if token_id > UNK_ID}

    @classmethod
    def build(cls, texts: Iterable[Iterable[str]], *, max_size: int, min_count: int = 1) -> "Vocabulary":
        """The most frequent tokens, ordered by (-count, token): the same data gives the same file."""
        if max_size < 2:
            raise ConfigError(f"max_size: at least 2, for {PAD} and {UNK}, not {max_size}")
        counts = Counter(token for tokens in texts for token in tokens)
        for special in (PAD, UNK):
            counts.pop(special, None)
        kept = sorted((token for token, count in counts.items() if count >= min_count), key=lambda t: (-counts[t], t))
        return cls([PAD, UNK, *kept[: max_size - 2]])

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The id of each token, `<unk>`'s where it isn't known: (T,)."""
        ids = self._ids
        return [ids.get(token, UNK_ID) for token in tokens]
