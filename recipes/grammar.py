"""Sentences whose label follows from how they are built: `python -m recipes.grammar OUT.parquet`.

Negation near and far, what used to be, what others say, what might have been, questions, comparison, degree, who people
are, where a fact is beside an opinion, how people type. `grammar.yaml` holds them with words left open, which are
drawn by a seed. The suite that `sentiment check` puts to a model, and the hard cases, are written in other words: no
sentence here shares five words in a row with them, and a test holds it to that.
"""

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import yaml

SEED = 11
ROWS = 45_000
NOISY_SHARE = 0.35  # of the sentences, typed as people do

TURN = ("But ", "Still, ", "Even so, ", "However, ", "And yet, ", "Then again, ")

_VOWEL = re.compile(r"\b([Aa])(?= (?:[aeiou]|8|hour|honest))(?! (?:uni|use|Uk|one))", re.IGNORECASE)
_PLACE = re.compile(r"\{(\w)\}")

GRAMMAR: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
_LISTS: dict[str, list[str]] = GRAMMAR["words"] | {"u": GRAMMAR["words"]["t"]}


def filled(template: str, rng: random.Random) -> str:
    """Return the template with words in its places, as a sentence: with a capital, the right article and an end."""
    text = _PLACE.sub(lambda place: rng.choice(_LISTS[place[1]]), template)
    text = _VOWEL.sub(r"\1n", text)
    text = text[0].upper() + text[1:]
    return text if text.endswith("?") else text + rng.choice(("", ".", ".", ".", "!"))


def typed(text: str, rng: random.Random) -> str:
    """Change a sentence as people type: a slip, no capitals or only capitals, a sign, a link, quotation marks."""
    kind = rng.randrange(8)
    if kind == 0 and len(text) > 8:
        place = rng.randrange(2, len(text) - 2)
        slips = (text[place + 1] + text[place], text[place], text[place] * 2 + text[place + 1])
        return text[:place] + rng.choice(slips) + text[place + 2 :]
    city = rng.choice(_LISTS["c"])
    return (
        text,
        text.lower(),
        text.upper(),
        f"{text} {rng.choice(_LISTS['sign'])}",
        f"{rng.choice(_LISTS['sign'])} {text}",
        f"{text} https://example.com/{city.lower()}/{rng.randrange(10_000)}",
        f"@{rng.choice(_LISTS['n']).lower()} {text} #{city}",
        f"“{text}”",
    )[kind]


def sentence(label: str, rng: random.Random) -> str:
    """Return a text of a label, of one sentence or two."""
    text = filled(rng.choice(GRAMMAR[label]), rng)
    fact = filled(rng.choice(GRAMMAR["fact"]), rng)
    kind = rng.random()
    if kind < 0.12:
        return f"{fact.rstrip('.!')}. {text}"
    if kind < 0.24:
        return f"{text.rstrip('.!')}. {fact}" if not text.endswith("?") else f"{fact.rstrip('.!')}. {text}"
    if kind < 0.32 and label != "neutral":
        return f"{fact.rstrip('.!')}. {filled(rng.choice(GRAMMAR[f'second {label}']), rng)}"
    if kind < 0.38 and label != "neutral":
        other = "positive" if label == "negative" else "negative"
        first = filled(rng.choice(GRAMMAR[f"second {other}"]), rng).rstrip(".!")
        second = filled(rng.choice(GRAMMAR[f"second {label}"]), rng)
        return f"{first}. {rng.choice(TURN)}{second[0].lower() + second[1:] if second[:2] != 'I ' else second}"
    return text


def rows() -> Iterator[tuple[str, str]]:
    """Yield distinct texts without end, each with its label: two opinions for each text without one."""
    rng = random.Random(SEED)
    seen = set()
    while True:
        label = rng.choice(("positive", "positive", "negative", "negative", "neutral"))
        text = sentence(label, rng)
        if rng.random() < NOISY_SHARE:
            text = typed(text, rng)
        if text not in seen:
            seen.add(text)
            yield text, label


def runs(text: str, length: int = 5) -> set[tuple[str, ...]]:
    """Return every run of so many words in a text."""
    found = re.findall(r"[\w'’-]+", text.lower())
    return {tuple(found[start : start + length]) for start in range(len(found) - length + 1)}


def main(out: Path) -> None:
    """Write the table."""
    sentences = rows()
    table = pl.DataFrame([next(sentences) for _ in range(ROWS)], schema=["text", "label"], orient="row")
    out.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out)
    print(f"{out.stem}: {table.height:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m recipes.grammar OUT.parquet")
    main(Path(sys.argv[1]))
