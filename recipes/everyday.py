"""Build short texts as people type them: `python -m recipes.everyday OUT.parquet`.

What people write to shops, apps and support; ratings out of five, ten and a hundred; emoji, emoticons, hashtags and
grades, alone and beside facts; and made-up words, which have no opinion. `everyday.yaml` has the templates
with words left open, which are drawn by a seed.
"""

import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import yaml

SEED = 17
REPEATS = 8  # of a template with words left open
MADE_UP = 2_500  # texts of made-up words
RATINGS = 1_500

EVERYDAY: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
NUMBERS = ("zero", "one", "two", "three", "four", "five")
_PLACE = re.compile(r"\{(\w)\}")
_SYLLABLES = [c + v + e for c in "b bl br d dr f fl g gl gr j k kl l m n p pl qu r s sk sn t tr v w z zx".split()
              for v in "a e i o u oo ee y".split() for e in ("", "", "n", "r", "x", "b", "rd", "g", "sh")]  # fmt: skip


def filled(template: str, rng: random.Random) -> str:
    """Return the template with words in its places, as people type: with or without a capital and an end."""
    text = _PLACE.sub(lambda place: rng.choice([str(word) for word in EVERYDAY["words"][place[1]]]), template)
    case = rng.random()
    if case < 0.3:
        text = text[0].upper() + text[1:]
    elif case < 0.36:
        text = text.upper()
    return text + rng.choice(("", "", "", ".", ".", "!", "!!")) if text[-1].isalnum() else text


def templates(label: str) -> list[str]:
    """Return the templates of a label."""
    return [each.strip() for each in EVERYDAY[label].replace("\n", "|").split("|") if each.strip()]


def made_up(rng: random.Random) -> str:
    """Return a made-up word."""
    return "".join(rng.choices(_SYLLABLES, k=rng.choice((1, 2, 2, 3))))


def rating(rng: random.Random) -> tuple[str, str]:
    """Return a rating in one of the ways people write it, and its label."""
    scale = rng.choice((5, 5, 10, 100))
    points = rng.randrange(scale + 1) if scale < 100 else rng.randrange(0, 101, 5)
    share = points / scale
    label = "negative" if share < 0.5 else "neutral" if share < 0.7 else "positive"
    ways = [f"{points}/{scale}", f"{points} out of {scale}", f"rating: {points}/{scale}", f"I give it {points}/{scale}"]
    if scale == 5:
        stars = "star" if points == 1 else "stars"
        ways += [f"{points} {stars}", f"{NUMBERS[points]} {stars}", f"{points} out of 5 stars", f"{points}/5 {stars}"]
        if points:
            ways += ["★" * points + "☆" * (5 - points), "⭐" * points if points > 1 else "★☆☆☆☆"]
    return rng.choice(ways), label


def rows() -> Iterator[tuple[str, str]]:
    """Yield each text with its label, in a fixed order."""
    rng = random.Random(SEED)
    labels = ("positive", "negative", "neutral")
    lists = {label: templates(label) for label in labels}
    for label in labels:
        for template in lists[label]:
            yield from ((filled(template, rng), label) for _ in range(REPEATS if "{" in template else 3))
    signs = {
        "positive": EVERYDAY["signs"]["positive"].split() + EVERYDAY["signs"]["happy"].split(),
        "negative": EVERYDAY["signs"]["negative"].split() + EVERYDAY["signs"]["sad"].split(),
        "neutral": EVERYDAY["signs"]["neutral"].split(),
    }
    for label in labels:
        for sign in signs[label]:
            fact = filled(rng.choice(lists["neutral"]), rng)
            said = filled(rng.choice(lists[label]), rng)
            yield from ((text, label) for text in (sign, sign, sign + sign, sign * 3, sign * 5, f"{sign} {sign}"))
            yield from ((text, label) for text in (f"{said} {sign}", f"{sign} {said}", f"{fact} {sign}"))
            yield f"{sign} {fact}", label
            yield f"{sign}{rng.choice(signs[label])}", label
    for label, grades in EVERYDAY["grades"].items():
        for grade in grades:
            yield from ((text, label) for text in (grade, grade, f"grade: {grade}", f"I give it a {grade}"))
    for label, tags in EVERYDAY["tags"].items():
        for tag in tags:
            fact = filled(rng.choice(lists["neutral"]), rng)
            yield from ((text, label) for text in (f"#{tag}", f"#{tag.title()}", f"{fact} #{tag}"))
    for _ in range(RATINGS):
        text, label = rating(rng)
        kind = rng.random()
        if kind < 0.35:
            text = f"{text} {filled(rng.choice(lists[label]), rng)}"
        elif kind < 0.5:
            text = f"{filled(rng.choice(lists[label]), rng)} {text}"
        elif kind < 0.6:
            text = f"{filled(rng.choice(lists['neutral']), rng)} {text}"
        yield text, label
    for _ in range(MADE_UP):
        words = [made_up(rng) for _ in range(rng.choice((1, 1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 20)))]
        kind = rng.random()
        if kind < 0.5:
            text, label = " ".join(words), "neutral"
        elif kind < 0.65:
            text, label = f"the {words[0]} is in the {words[-1]}", "neutral"
        else:
            label = rng.choice(("positive", "negative"))
            said = rng.choice(EVERYDAY["words"]["p" if label == "positive" else "b"])
            text = rng.choice(
                (f"the {words[0]} was {said}", f"{said} {words[0]}", f"{' '.join(words[:4])}: {said}",
                 f"{words[0]} is so {said}", f"my {words[0]} {words[-1]} is {said}")
            )  # fmt: skip
        yield text[0].upper() + text[1:] if rng.random() < 0.3 else text, label


def main(out: Path) -> None:
    """Write the table."""
    table = pl.DataFrame(list(rows()), schema=["text", "label"], orient="row")
    out.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out)
    print(f"{out.stem}: {table.height:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m recipes.everyday OUT.parquet")
    main(Path(sys.argv[1]))
