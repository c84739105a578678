from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sentiment.errors import DataError, TextError
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.splits import data_in_memory, read_data
from sentiment.training.recipe import Recipe, Source

Write = Callable[[Path, int], Path]


def recipe_of(path: Path, **settings: Any) -> Recipe:
    return Recipe.of({"name": "toy", "train": [{"path": path}], **settings})


def test_rows_at_hand_are_split_as_those_of_a_file(tmp_path: Path, write_reviews: Write) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 40))
    [learned], [dev] = (read_data(recipe).train, read_data(recipe).dev)
    rows = LabelledTexts("a.csv", [*learned.texts, *dev.texts], [*learned.labels, *dev.labels])
    data = data_in_memory(recipe.model_copy(update={"train": ()}), rows)
    assert (data.labels, data.repeats, data.in_dev) == (("negative", "positive"), (1,), 0)
    assert [len(data.train[0].texts), len(data.dev[0].texts)] == [len(learned.texts), len(dev.texts)] == [36, 4]
    assert data.dev[0].name == "split of a.csv"
    assert not set(data.train[0].texts) & set(data.dev[0].texts)


@pytest.mark.parametrize("text", ["", "&nbsp;", "<br>", "\u200b", "\u200d", "\u115f\u3164"])
def test_a_row_at_hand_without_text_is_refused_by_its_place(text: str) -> None:
    rows = LabelledTexts("X", ["good", "fine", text, "bad"], ["x", "x", "y", "y"])
    with pytest.raises(TextError, match="text 2: is empty or blank"):
        data_in_memory(Recipe.of({"name": "toy", "train": ()}), rows)


def test_rows_left_out_are_counted_once(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 40)
    path.write_text(path.read_text() + "&nbsp;,positive\nunlabelled,\n")
    report = read_data(recipe_of(path, skip_empty=True, skip_bad_rows=True)).report
    assert [(part.without_text, part.unreadable) for part in (*report.train, *report.dev)] == [(1, 1), (0, 0)]


def test_a_dev_label_never_seen_in_training_is_refused(tmp_path: Path, write_reviews: Write) -> None:
    dev = tmp_path / "dev.csv"
    dev.write_text("text,label\na,mixed\nb,positive\n")
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 20), dev=[{"path": dev}])
    with pytest.raises(
        DataError, match="dev.csv: row 1: no training row has the label 'mixed'; add training rows of each, or"
    ):
        read_data(recipe)


def test_a_label_that_no_dev_row_has_is_refused(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 20)
    for name in ("dev.csv", "more.csv"):
        (tmp_path / name).write_text("text,label\na,positive\nb,positive\n")
    dev = [{"path": tmp_path / "dev.csv"}, {"path": tmp_path / "more.csv"}]
    with pytest.raises(DataError, match="no dev row has the label 'negative', which is learned; add rows of each, or"):
        read_data(recipe_of(path, dev=dev))
    (tmp_path / "more.csv").write_text("text,label\na,negative\nb,negative\n")
    single = [{"path": tmp_path / "one.csv"}, {"path": tmp_path / "two.csv"}]
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text("text,label\n" + f"{name} is so-so,neutral\n")
    with pytest.raises(DataError, match="no dev row has the label 'neutral', which is learned; add rows of each, or"):
        read_data(Recipe.of({"name": "toy", "train": [{"path": path}, *single]}))
    assert len(read_data(recipe_of(path, dev=dev)).dev) == 2


def test_soft_labels_need_a_column_a_label(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 20)
    recipe = recipe_of(path)
    recipe = recipe.model_copy(
        update={"train": (*recipe.train, recipe.train[0].model_copy(update={"soft_labels": True}))}
    )
    with pytest.raises(DataError, match="there is no column 'negative'; there are 'text', 'label'"):
        read_data(recipe)


def test_rows_that_all_stand_in_the_dev_set_are_nothing_to_learn_from(tmp_path: Path, write_reviews: Write) -> None:
    path = write_reviews(tmp_path / "a.csv", 8)
    with pytest.raises(DataError, match="no training row is left: the text of each is in the dev data, too"):
        read_data(recipe_of(path, dev=[{"path": path}]))


def test_a_file_that_stands_in_the_dev_set_as_a_whole_is_named(tmp_path: Path, write_reviews: Write) -> None:
    path, inside = write_reviews(tmp_path / "a.csv", 20), tmp_path / "inside.csv"
    inside.write_text("text,label\nfine,positive\npoor,negative\n")
    recipe = recipe_of(path, dev=[{"path": inside}])
    recipe = recipe.model_copy(update={"train": (*recipe.train, Source(path=inside))})
    with pytest.raises(DataError, match=r"^inside\.csv: the text of each row is in the dev data, too; leave this "):
        read_data(recipe)


def test_files_of_one_name_judge_apart(tmp_path: Path, write_reviews: Write) -> None:
    paths = []
    for folder, rows in (("x", 20), ("y", 30)):
        (tmp_path / folder).mkdir()
        paths.append(write_reviews(tmp_path / folder / "a.csv", rows))
    recipe = recipe_of(paths[0]).model_copy(update={"train": tuple(Source(path=path) for path in paths)})
    assert [part.name for part in read_data(recipe).dev] == ["split of a.csv", "split of a.csv (2)"]
    dev = [{"path": tmp_path / folder / "dev.csv"} for folder in "xy"]
    for each in dev:
        each["path"].write_text("text,label\nfine,positive\npoor,negative\n")
    assert [part.name for part in read_data(recipe_of(paths[0], dev=dev)).dev] == ["dev.csv", "dev.csv (2)"]
