from pathlib import Path
from typing import Any

import pytest
import yaml

from sentiment.errors import ConfigError
from sentiment.evaluation.behaviour.suite import Suite, read_suite
from tests.conftest import message_of

PRAISE = {
    "name": "praise",
    "kind": "minimum functionality",
    "label": "positive",
    "texts": ["A {good} {thing}."],
    "max_failing": 0.25,
}
FILE = {"language": "en", "lists": {"good": ["grand"], "thing": ["spa", "zoo"]}, "tests": [PRAISE]}


def written(folder: Path, name: str, values: Any) -> str:
    path = folder / name
    path.write_text(values if isinstance(values, str) else yaml.safe_dump(values))
    return str(path)


def suite_of(folder: Path, *files: Any) -> Suite:
    return read_suite([written(folder, f"{place}.yaml", file) for place, file in enumerate(files)])


def test_lists_of_several_files_are_put_together_and_thresholds_replaced(tmp_path: Path) -> None:
    own = {
        "lists": {"good": ["grand", "fine"], "bad": ["grim"]},
        "tests": [{**PRAISE, "name": "blame", "label": "negative", "texts": ["A {bad} {thing}."]}],
        "thresholds": {"praise": 0.5},
    }
    praise, blame = suite_of(tmp_path, FILE, own).tests
    assert {text for (text,) in praise[1]} == {
        f"A {good} {thing}." for good in ("grand", "fine") for thing in ("spa", "zoo")
    }
    assert blame[1] == (("A grim spa.",), ("A grim zoo.",))
    assert (praise[0].max_failing, blame[0].max_failing) == (0.5, 0.25)


def test_the_same_files_give_the_same_cases() -> None:
    assert read_suite(["default"]) == read_suite(["default"])


@pytest.mark.parametrize(
    ("test", "message"),
    [
        *(
            ({**PRAISE, **change}, f"test 'praise': {message}")
            for change, message in (
                ({"texts": ["{thng}"]}, "texts: '{thng}': there is no word list 'thng'; there are good, thing"),
                (
                    {"kind": "invarience"},
                    "kind: one of minimum functionality, invariance, directional, fairness, not 'invarience'",
                ),
                ({"max_failing": 5}, "max_failing: Input should be less than or equal to 1, not 5"),
                ({"labels": "positive"}, "labels: there is no such setting; is it label?"),
            )
        ),
        ({"kind": "invariance", "name": "praise"}, "test 'praise': texts: is missing"),
        ({"kind": "invariance", "texts": ["a"]}, "test 1: name: is missing"),
        ("praise", "tests.0: Input should be a valid dictionary, not 'praise'"),
    ],
)
def test_a_fault_is_named_with_its_file_its_test_and_its_key(tmp_path: Path, test: Any, message: str) -> None:
    path = written(tmp_path, "own.yaml", {**FILE, "tests": [test]})
    assert message_of(ConfigError, lambda: read_suite([path])) == f"suite {path}: {message}"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({**FILE, "tests": [PRAISE, PRAISE]}, "test 'praise': name: there is another test of this name"),
        ({**FILE, "thresholds": {"prase": 0.5}}, "thresholds: there is no test 'prase'"),
        ({**FILE, "lists": {"good": [True]}}, "lists.good.0: Input should be a valid string, not True"),
        ({**FILE, "lists": {"text": ["a"]}}, "lists: text is what a variant varies; give the list another name"),
        ({"lists": {}}, "has no tests"),
        ("", "settings: Input should be a valid dictionary or instance of SuiteFile, not None"),
        ("tests: [\n  {name: a\n", "line 3: expected ',' or '}', but got '<stream end>'"),
        ("a: !!python/name:os.system", "line 1: could not determine a constructor for the tag"),
        ("tests: \x00", "unacceptable character #x0000: special characters are not allowed"),
    ],
)
def test_a_file_that_is_no_suite_is_refused_by_name(tmp_path: Path, file: Any, message: str) -> None:
    path = written(tmp_path, "own.yaml", file)
    said = message_of(ConfigError, lambda: read_suite([path]))
    assert said.startswith(f"suite {path}: {message}")
    assert "\n" not in said


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="^suite gone.yaml: there is no such file; the suite .* is called default$"):
        read_suite(["gone.yaml"])
    with pytest.raises(ConfigError, match=f"^suite {tmp_path}: .*Is a directory"):
        read_suite([str(tmp_path)])


def test_labels_are_the_models_own_or_what_the_file_says(tmp_path: Path) -> None:
    assert suite_of(tmp_path, FILE).names(["negative", "positive"]) == {"negative": "negative", "positive": "positive"}
    stars = {**FILE, "labels": {"positive": ["4", "5"], "negative": "1", "meh": "3"}}
    assert suite_of(tmp_path, stars).names(["1", "3", "4", "5"]) == {
        "1": "negative",
        "3": "meh",
        "4": "positive",
        "5": "positive",
    }


@pytest.mark.parametrize(
    ("labels", "language", "message"),
    [
        (
            ["差评", "好评"],
            "zh",
            "suite: its tests expect positive, the model's labels are 差评, 好评; say which is which in a suite file "
            "of yours, as in labels: {positive: good, negative: bad}",
        ),
        (
            ["positive", "negative"],
            "zh",
            "suite: its texts are in 'en', the model reads 'zh'; give a suite of such texts",
        ),
    ],
)
def test_a_model_that_does_not_fit_is_refused(tmp_path: Path, labels: list[str], language: str, message: str) -> None:
    assert message_of(ConfigError, lambda: suite_of(tmp_path, FILE).check_fits(labels, language)) == message


def test_a_label_that_the_model_lacks_cannot_be_given_a_name(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, {**FILE, "labels": {"positive": "great"}})
    said = message_of(ConfigError, lambda: suite.names(["bad", "good"]))
    assert said == "suite: labels: positive: the model has no label 'great'; it knows bad, good"
