"""Short texts whose label follows from a rule: negation, degree, set phrases, emoji, plain facts.

Treebanks and reviews hold few bare `not good`s, which people type all day. All of it was written
for this project.

`python -m recipes.templates OUT.parquet`
"""

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

SEED = 3
REPEATS = 6  # of each template, with other words

PRAISE = (
    "good great nice excellent wonderful amazing fantastic lovely brilliant superb perfect impressive enjoyable "
    "delightful helpful friendly reliable useful fun beautiful delicious comfortable fast clean pleasant charming "
    "funny interesting exciting satisfying worthwhile entertaining clever awesome happy pleased satisfied"
).split()
BLAME = (
    "bad terrible awful horrible poor boring dull disappointing useless annoying ugly slow rude dirty broken "
    "unpleasant painful ridiculous stupid frustrating cheap weak tedious mediocre confusing unreliable lousy "
    "dreadful pathetic worthless noisy sad upset disappointed angry unhappy"
).split()
THINGS = (
    "film movie book phone food service hotel room staff game app product song show story meal restaurant camera "
    "plot ending coffee trip place support delivery update laptop battery screen"
).split()
DEGREES = "very really so extremely truly absolutely quite totally".split()
LIKES = "like love enjoy recommend trust want".split()
DISLIKES = "hate dislike regret despise".split()
POINTS = "day hour minute page second bit moment".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()

# {p} praise, {b} blame, {t} a thing, {d} a degree.
POSITIVE = """
{p} | {d} {p} | it is {p} | the {t} is {p} | the {t} was {d} {p} | a {p} {t} | what a {p} {t} | such a {p} {t}
not {b} | not {b} at all | not bad | not bad at all | it's not {b} | the {t} isn't {b} | the {t} was not {b} at all
not a {b} {t} | it isn't {b} at all | never {b} | nothing {b} about it | not {b}, I was surprised | far from {b}
it's {p}, isn't it? | isn't it {p}? | it was {p}, wasn't it? | the {t} is {p}, isn't it?
I {l} it | I {l} this {t} | I really {l} the {t} | I {l} this | loved it | loved the {t} | I don't {h} it at all
I enjoyed every {m} of it | no problem | no problems | no problem at all | no complaints | no issues so far
I couldn't be happier | couldn't be better | it couldn't have been better | can't complain | nothing to complain about
I can't recommend it enough | I can't stop smiling | what's not to like? | never a dull moment | never disappoints
it did not disappoint | the {t} doesn't disappoint | better than I expected | it exceeded my expectations | highly recommended
worth every penny | well worth the money | the best {t} ever | this is the best {t} I have had | the {t} used to be {b}, now it is {p}
I thought it would be {b}, but it was {p} | it looks {b} but it is {p} | not {b} but {p} | I wouldn't change a thing
without a single {b} moment | I can't find anything {b} about the {t} | thank you so much | well done | keep up the good work
"""
NEGATIVE = """
{b} | {d} {b} | it is {b} | the {t} is {b} | the {t} was {d} {b} | a {b} {t} | what a {b} {t} | such a {b} {t}
not {p} | not {p} at all | not good | not good at all | it's not {p} | the {t} isn't {p} | the {t} was not {p} at all
not a {p} {t} | it isn't {p} at all | not very {p} | not {d} {p} | never {p} | nothing {p} about it | hardly {p} | far from {p}
it's {b}, isn't it? | isn't it {b}? | it was {b}, wasn't it? | anything but {p} | not as {p} as I hoped | not even {p}
I {h} it | I {h} this {t} | I don't {l} it | I do not {l} it | I did not {l} the {t} | I don't {l} this {t} at all | I didn't {l} it
I can't {l} this {t} | I would not recommend it | I wouldn't recommend the {t} | nobody will {l} this {t} | I never {l} it
I wanted to {l} it, but I did not | I wanted to {l} it but I couldn't | I tried to {l} the {t}, but it was {b}
never again | I will never buy it again | we won't be back | could be better | it could have been better | left a lot to be desired
not worth it | not worth the money | the {t} is not worth the money | a waste of money | a complete waste of time | don't waste your time
I want my money back | an hour of my life that I want back | two hours I will never get back | the worst {t} ever | it broke after a day
it stopped working | it doesn't work | the {t} does not work | broke after a week | worse than I expected | what a disappointment
the {t} used to be {p}, now it is {b} | I thought it would be {p}, but it was {b} | it looks {p} but it is {b} | not {p} but {b}
if only it were {p} | it would have been {p} if it had worked | I wish it were {p} | too {b} to finish | I expected better | no thanks
"""
NEUTRAL = """
the {t} arrived on {y} | the parcel arrived on {y} | I bought the {t} on {y} | the {t} is on the table | it comes in a box
the meeting is on {y} | see you on {y} | this is a {t} | the {t} is blue | it has two parts | they opened on {y} | where is the {t}?
what time is the {t}? | how does the {t} work? | I am reading about the {t} | the {t} costs ten dollars | we went there on {y}
the {t} starts on {y} | it is {y} today | my sister has the same {t} | the {t} was made last year | it is neither {p} nor {b}
it was okay | it's okay | average | an average {t} | so-so | nothing special | neither good nor bad | it is what it is
"""
EMOJI = {
    "positive": "😀 😃 😄 😁 😊 😍 🥰 😘 🤩 👍 👏 🎉 ❤ 💕 🙌 😎 🔥 💯 😂 🤣",
    "negative": "😠 😡 🤬 😢 😭 😞 😒 🙄 👎 💔 🤮 🤢 😤 😩 😫 💩",
}


def filled(template: str, rng: random.Random) -> str:
    """Return the template with words in its places, as people write: with or without a capital, a stop or a cry."""
    lists = {"p": PRAISE, "b": BLAME, "t": THINGS, "d": DEGREES, "l": LIKES, "h": DISLIKES, "m": POINTS, "y": DAYS}
    text = template.strip().format(**{place: rng.choice(words) for place, words in lists.items()})
    if rng.random() < 0.5:
        text = text[0].upper() + text[1:]
    return text if text.endswith("?") else text + rng.choice(("", "", ".", ".", "!"))


def rows() -> Iterator[tuple[str, str]]:
    """Yield each text with its label, in a fixed order."""
    rng = random.Random(SEED)
    for label, templates in (("positive", POSITIVE), ("negative", NEGATIVE), ("neutral", NEUTRAL)):
        for template in templates.replace("\n", "|").split("|"):
            if template.strip():
                yield from ((filled(template, rng), label) for _ in range(REPEATS if "{" in template else 2))
    for label, signs in EMOJI.items():
        for sign in signs.split():
            yield from ((text, label) for text in (sign, sign * 3, f"{sign} {rng.choice(signs.split())}"))
    for label, words in (("positive", PRAISE), ("negative", BLAME)):
        opposite = "negative" if label == "positive" else "positive"
        for word in words:
            yield from ((text, label) for text in (word, f"so {word}", f"The {rng.choice(THINGS)} was {word}."))
            yield from ((text, opposite) for text in (f"not {word}", f"not {word} at all", f"It isn't {word}."))


def main(out: Path) -> None:
    """Write the table."""
    table = pl.DataFrame(list(rows()), schema=["text", "label"], orient="row")
    out.parent.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out)
    print(f"{out.stem}: {table.height:,} rows")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m recipes.templates OUT.parquet")
    main(Path(sys.argv[1]))
