"""A suite: the word lists and tests of one or more YAML files, read as one."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from sentiment.config import Settings
from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour import DEFAULT
from sentiment.evaluation.behaviour.kinds import KINDS, ORIGINAL, BehaviourTest, Case, OneOrMore, Share, Strings

SENTIMENTS = ("negative", "neutral", "positive")
OPTIONAL = "neutral"  # tests that expect it are left out for a model that doesn't know it


class SuiteFile(Settings):
    """The content of one file."""

    language: Annotated[str, Field(pattern="^[a-z]{2,3}$")] | None = None  # of its texts, as a model folder names it
    labels: dict[str, OneOrMore] = Field(default_factory=dict)  # of the tests, each with those of the model
    lists: dict[str, Strings] = Field(default_factory=dict)  # words; those of several files are put together
    tests: tuple[dict[str, Any], ...] = ()
    thresholds: dict[str, Share] = Field(default_factory=dict)  # tests by name, and the max_failing to take instead


@dataclass(frozen=True)
class Suite:
    """Tests, the cases of each, and what the model must know to be asked."""

    tests: tuple[tuple[BehaviourTest, tuple[Case, ...]], ...]
    labels: dict[str, tuple[str, ...]]
    languages: tuple[str, ...]

    def names(self, labels: Sequence[str]) -> dict[str, str]:
        """Return the suite's name for each label of a model: its own where the suite has none.

        Raises ConfigError if the two don't fit.
        """
        names = {label: label for label in labels}
        for name, wanted in self.labels.items():
            for label in wanted:
                if label not in names:
                    raise ConfigError(
                        f"suite: labels: {name}: the model has no label {label!r}; it knows {', '.join(labels)}"
                    )
                names[label] = name
        spoken = dict.fromkeys(label for test, _ in self.tests for label in test.labels)
        missing = [label for label in spoken if label not in names.values() and label != OPTIONAL]
        if missing:
            raise ConfigError(
                f"suite: its tests expect {', '.join(missing)}, the model's labels are {', '.join(labels)}; "
                "say which is which in a suite file of yours, as in labels: {positive: good, negative: bad}"
            )
        understood = {*SENTIMENTS, *spoken, *self.labels}
        strange = [label for label, name in names.items() if name not in understood]
        if strange and any(label in SENTIMENTS for label in spoken):
            raise ConfigError(
                f"suite: its tests expect {', '.join(spoken)}, the model also answers {', '.join(strange)}; say what "
                "that counts as in a suite file of yours, as in labels: {positive: [positive, very positive]}"
            )
        return names

    def check_fits(self, labels: Sequence[str], language: str) -> None:
        """Raise ConfigError if a model of these labels and this language can't be asked."""
        self.names(labels)
        for own in self.languages:
            if own != language:
                raise ConfigError(
                    f"suite: its texts are in {own!r}, the model reads {language!r}; give a suite of such texts"
                )


def read_suite(names: Sequence[str]) -> Suite:
    """Return the suite of all these files; `default` is the one that comes with the package.

    Raises ConfigError, naming the file, the test and the key, for anything that can't be read or filled.
    """
    read = [(name, _read(name)) for name in names]
    lists: dict[str, tuple[str, ...]] = {}
    for name, file in read:
        if ORIGINAL in file.lists:
            raise ConfigError(f"suite {name}: lists: {ORIGINAL} is what a variant varies; give the list another name")
        for place, words in file.lists.items():
            lists[place] = tuple(dict.fromkeys((*lists.get(place, ()), *words)))
    tests: dict[str, tuple[BehaviourTest, tuple[Case, ...]]] = {}
    for name, file in read:
        for index, values in enumerate(file.tests, start=1):
            title = f"suite {name}: test {values.get('name', index)!r}"
            try:
                test = _test(values)
                cases = tuple(test.cases(lists))
            except ConfigError as error:
                raise ConfigError(f"{title}: {error}") from None
            if test.name in tests:
                raise ConfigError(f"{title}: name: there is another test of this name")
            tests[test.name] = test, cases
    for name, file in read:
        for title, share in file.thresholds.items():
            if title not in tests:
                raise ConfigError(f"suite {name}: thresholds: there is no test {title!r}")
            test, cases = tests[title]
            tests[title] = test.model_copy(update={"max_failing": share}), cases
    if not tests:
        raise ConfigError(f"suite {', '.join(names)}: has no tests")
    labels = {label: wanted for _, file in read for label, wanted in file.labels.items()}
    languages = tuple(dict.fromkeys(file.language for _, file in read if file.language is not None))
    return Suite(tuple(tests.values()), labels, languages)


def _read(name: str) -> SuiteFile:
    path = files(__package__) / "default.yaml" if name == DEFAULT else Path(name)
    try:
        values = yaml.safe_load(unicodedata.normalize("NFC", path.read_text(encoding="utf-8")))  # as labels are
    except yaml.MarkedYAMLError as error:
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(f"suite {name}: {place}{error.problem}") from None
    except FileNotFoundError:
        raise ConfigError(
            f"suite {name}: there is no such file; the suite that comes with the package is called {DEFAULT}"
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"suite {name}: {' '.join(str(error).split())}") from None
    try:
        return SuiteFile.of(values)
    except ConfigError as error:
        raise ConfigError(f"suite {name}: {error}") from None


def _test(values: dict[str, Any]) -> BehaviourTest:
    kind = values.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError(f"kind: one of {', '.join(KINDS)}, not {kind!r}")
    return KINDS[kind].of(values)
