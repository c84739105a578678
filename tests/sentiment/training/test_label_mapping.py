import pytest

from sentiment.errors import ConfigError, DataError
from sentiment.training.data.label_mapping import apply, parse

STARS = parse("1-2=negative, 3=neutral ,4-5=positive")


def test_ranges_hold_both_ends_and_the_first_that_holds_a_number_counts() -> None:
    assert STARS == {"1-2": "negative", "3": "neutral", "4-5": "positive"}
    assert apply(["1", "2"], parse("0-1=bad,1-2=good"), "a.csv") == ["bad", "good"]
    values = ["1", "2", "3", "4.0", "5", "1.5", " 2"]
    expected = ["negative", "negative", "neutral", "positive", "positive", "negative", "negative"]
    assert apply(values, STARS, "a.csv") == expected
    assert apply(["-1", "-0.2", "0.4"], parse("-2--0.1=bad,0-1=good"), "a.csv") == ["bad", "bad", "good"]


def test_a_value_by_itself_comes_before_a_range_and_names_may_be_joined() -> None:
    assert apply(["2", "1"], parse("1-3=low,2=two"), "a.csv") == ["two", "low"]
    assert apply(["sad", "angry", "1-2"], parse("sad=bad,angry=bad,1-2=odd"), "a.csv") == ["bad", "bad", "odd"]


def test_values_and_labels_are_those_of_a_cell() -> None:
    assert parse("cafe\u0301\u200b= go\u0308d ,\ufeff3=x") == {"caf\u00e9": "g\u00f6d", "3": "x"}


def test_what_is_mapped_to_nothing_is_left_out() -> None:
    assert apply(["3", "5"], parse("3=,4-5=positive"), "a.csv") == [None, "positive"]
    assert parse(None) == {}


def test_what_has_no_label_is_named() -> None:
    message = r"a.csv: --labels has no label for '2.5', '6'; name a label for each, or leave such rows out with '2.5='"
    with pytest.raises(DataError, match=message):
        apply(["6", "2.5", "1"], STARS, "a.csv")
    with pytest.raises(DataError, match=r"'a', 'b', 'c', 'd', 'e', …; name a label"):
        apply(list("gfedcba"), STARS, "a.csv")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1-2", "--labels: '1-2' is not VALUE=LABEL, as in 1-2=negative,3=neutral,4-5=positive"),
        ("=x", "--labels: '=x' is not VALUE=LABEL"),
        ("5-1=x", "--labels: the range 5-1 ends before it begins; write 1-5"),
        ("1=a,1=b", "--labels: '1' is given two labels, 'a' and 'b'"),
        ("", "--labels: '' is not VALUE=LABEL"),
        ("1-3=a,2-5=b", "--labels: the ranges 1-3=a and 2-5=b overlap; let one end where the other begins"),
        ("1-9=a,2-3=a,5-6=b", "--labels: the ranges 1-9=a and 5-6=b overlap"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(text)
