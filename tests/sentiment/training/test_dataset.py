import pytest

from sentiment.errors import DataError
from sentiment.training.data.dataset import LabelledTexts, check_learnable, exclude_texts, split


def test_labels_must_differ_and_stand_more_than_once() -> None:
    with pytest.raises(
        DataError, match="every row has the label 'x'; add rows with another, as a classifier needs two"
    ):
        check_learnable([LabelledTexts("a", ["1", "2"], ["x", "x"])])
    with pytest.raises(DataError, match="a.csv: row 3: only this row has the label 'postive'"):
        check_learnable([LabelledTexts("a.csv", list("1234"), ["x", "x", "postive", "x"])])
    assert check_learnable([LabelledTexts("a", list("1234"), ["y", "x", "x", "y"])]) == ("x", "y")


def test_split_keeps_shares_and_depends_on_the_seed_only() -> None:
    data = LabelledTexts(
        "a", [str(row) for row in range(1000)], ["rare" if row < 20 else "often" for row in range(1000)]
    )
    train, dev = split(data, 0.1, seed=3)
    assert (len(dev.texts), dev.labels.count("rare")) == (100, 2)
    assert sorted(train.texts + dev.texts) == sorted(data.texts)
    assert split(data, 0.1, seed=3)[1] == dev
    assert split(data, 0.1, seed=4)[1] != dev


def test_split_leaves_every_label_in_training() -> None:
    train, dev = split(LabelledTexts("a", list("12"), ["x", "y"]), 0.5, seed=0)
    assert (train.texts, dev.texts) == (["1", "2"], [])


def test_what_judges_does_not_teach() -> None:
    data = LabelledTexts("a", ["seen", "new", "seen"], ["x", "y", "x"])
    assert exclude_texts(data, [LabelledTexts("dev", ["seen"], ["x"])]).texts == ["new"]
    assert exclude_texts(data, [LabelledTexts("dev", [" SEEN\n"], ["x"])]).texts == ["new"]
