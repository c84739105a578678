import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, load
from sentiment.cli import app
from sentiment.errors import BundleError, ConfigError
from sentiment.nn.model import SentimentModel
from sentiment.terminal.screen import console
from sentiment.training.data.splits import read_data
from sentiment.training.preparation import START, prepare
from sentiment.training.pretrained import copy_pretrained, interpolate_towards, merge_pretrained
from sentiment.training.recipe import Recipe
from sentiment.training.resume.fingerprint import training_fingerprint
from sentiment.training.trainer import train
from tests.conftest import MakeBundle

Write = Callable[[Path, int], Path]
HARDLY = 1e-12  # a learning rate that moves no weight


def recipe_of(path: Path, pretrained: Path, **settings: Any) -> Recipe:
    training = {"epochs": 1, "start": str(pretrained), **settings.pop("training", {})}
    return Recipe.of({"name": "toy", "train": [{"path": path}], "training": training, **settings})


def test_it_starts_as_the_pretrained_model_and_learns_on(
    tmp_path: Path, write_reviews: Write, tiny_bundle: Path, tiny_classifier: Classifier
) -> None:
    path = write_reviews(tmp_path / "a.csv", 200)
    recipe = recipe_of(path, tiny_bundle, training={"learning_rate": HARDLY}, labels=tiny_classifier.labels)
    pretrained, data = bundles.load(tiny_bundle), read_data(recipe)
    untouched = prepare(merge_pretrained(recipe, pretrained), data, pretrained).starts[START]
    torch.testing.assert_close(untouched.classifier.weight, tiny_classifier.model.classifier.weight)
    started = train(recipe, data, lambda _: None)
    torch.testing.assert_close(started.model.lstm.weight_hh_l0, tiny_classifier.model.lstm.weight_hh_l0)
    assert started.vocabulary.tokens == tiny_classifier.vocabulary.tokens
    assert f"It started from the model tiny, version {bundles.load(tiny_bundle).version}, whose card" in started.card
    recipe = recipe_of(path, tiny_bundle, training={"learning_rate": 0.02, "epochs": 8})
    learned = Classifier(train(recipe, read_data(recipe), lambda _: None))
    assert [each.label for each in learned.predict(["the film was great 1", "the film was bad 1"])] == [
        "positive",
        "negative",
    ]


@pytest.mark.parametrize("balanced", [False, True])
def test_a_start_is_kept_unless_an_epoch_lowers_the_loss(tmp_path: Path, balanced: bool) -> None:
    def write(name: str, good: int, fine: int, poor: int) -> Path:
        counts = {("it is good", "positive"): good, ("it is fine", "positive"): fine, ("it is fine", "negative"): poor}
        lines = [f"{text} {name[0]},{label}\n" for (text, label), count in counts.items() for _ in range(count)]
        (tmp_path / name).write_text("text,label\n" + "".join(lines))
        return tmp_path / name

    dev = write("dev.csv", 100, 100, 30)
    settings: dict[str, Any] = {"name": "toy", "dev": [{"path": dev}], "model": {"embedding_size": 8, "hidden_size": 8}}
    training = {"learning_rate": 0.02, "epochs": 8}
    first = Recipe.of({**settings, "train": [{"path": write("a.csv", 100, 100, 30)}], "training": training})
    bundles.save(train(first, read_data(first), lambda _: None), tmp_path / "first")
    training |= {"start": str(tmp_path / "first"), "balanced": balanced}
    second = Recipe.of({**settings, "train": [{"path": write("b.csv", 60, 40, 100)}], "training": training})
    learned = Classifier(train(second, read_data(second), lambda _: None))
    # Answering negative has the higher macro-recall, and the lower loss where each label weighs the same.
    assert learned.predict(["it is fine"])[0].label == ("negative" if balanced else "positive")


def test_labels_are_known_by_their_names(make_bundle: MakeBundle) -> None:
    pretrained = make_bundle()
    model = SentimentModel(pretrained.model.config, vocabulary_size=len(pretrained.vocabulary), num_classes=3)
    new = model.classifier.weight.detach().clone()  # (C, 2H)
    copy_pretrained(model, ("positive", "mixed", "negative"), pretrained)
    learned = pretrained.model.classifier.weight  # (C, 2H) of negative, neutral, positive
    assert torch.equal(model.classifier.weight, torch.stack([learned[2], new[1], learned[0]]))
    assert model.classifier.bias[0] == pretrained.model.classifier.bias[2]
    assert torch.equal(model.embedding.weight, pretrained.model.embedding.weight)
    model.embedding.weight.data.zero_()
    assert pretrained.model.embedding.weight.abs().max() > 0  # nothing is shared with it


def test_a_regression_starts_from_a_regression(make_bundle: MakeBundle) -> None:
    pretrained = make_bundle(task="regression")
    model = SentimentModel(pretrained.model.config, vocabulary_size=len(pretrained.vocabulary), num_classes=1)
    copy_pretrained(model, (), pretrained)
    assert torch.equal(model.classifier.weight, pretrained.model.classifier.weight)


def test_a_share_of_the_pretrained_weights_is_kept(
    tmp_path: Path, write_reviews: Write, make_bundle: MakeBundle
) -> None:
    path = write_reviews(tmp_path / "a.csv", 200)
    pretrained = tmp_path / "start"
    bundles.save(make_bundle(num_layers=2), pretrained)
    recipe = recipe_of(path, pretrained, training={"start_share": 0.25}, labels=("negative", "neutral", "positive"))
    start = bundles.load(pretrained)
    prepared = prepare(merge_pretrained(recipe, start), read_data(recipe), start)
    learned = make_bundle(num_layers=2, seed=1).model
    kept = prepared.keep(learned).state_dict()
    for name, own in learned.state_dict().items():
        torch.testing.assert_close(kept[name], own.lerp(prepared.model.state_dict()[name], 0.25))


def test_killed_it_goes_on_to_the_same_kept_weights(
    tmp_path: Path, write_reviews: Write, tiny_bundle: Path, train_killed_once: Callable[[Recipe], Bundle]
) -> None:
    settings = {"learning_rate": 0.02, "start_share": 0.25, "epochs": 3}
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 200), tiny_bundle, training=settings)
    whole = train(recipe, read_data(recipe), lambda _: None).model.state_dict()
    resumed = train_killed_once(recipe).model.state_dict()
    for name, tensor in whole.items():
        assert torch.equal(tensor, resumed[name]), name


def test_a_classifier_of_new_labels_stays_as_learned(make_bundle: MakeBundle) -> None:
    pretrained, learned = make_bundle(seed=1), make_bundle(seed=2).model
    start = SentimentModel(pretrained.model.config, vocabulary_size=len(pretrained.vocabulary), num_classes=3)
    labels = ("positive", "mixed", "negative")
    copy_pretrained(start, labels, pretrained)
    before = learned.classifier.weight.clone()  # (C, 2H)
    kept = interpolate_towards(start, labels, pretrained, 0.5)(learned)
    assert torch.equal(kept.classifier.weight, before)
    assert torch.equal(learned.classifier.weight, before), "the learning model is unchanged"
    expected = (learned.lstm.weight_hh_l0 + pretrained.model.lstm.weight_hh_l0) / 2  # (4H, H)
    torch.testing.assert_close(kept.lstm.weight_hh_l0, expected)


def test_a_share_of_no_model_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"training\.start_share is 0\.5, and there is no model to keep it of"):
        Recipe.of({"name": "toy", "train": [{"path": "a.csv"}], "training": {"start_share": 0.5}})


def test_a_regression_goes_on_from_a_regression_in_its_own_numbers(tmp_path: Path) -> None:
    rows = [
        (f"the film was {word} {number}", value)
        for word, value in (("good", 1010), ("bad", 990))
        for number in range(40)
    ]
    (tmp_path / "a.csv").write_text("text,label\n" + "".join(f"{text},{value}\n" for text, value in rows))
    settings = {"name": "toy", "task": "regression", "train": [{"path": tmp_path / "a.csv"}]}
    first = Recipe.of({**settings, "model": {"embedding_size": 8, "hidden_size": 8}, "training": {"epochs": 4}})
    bundles.save(train(first, read_data(first), lambda _: None), tmp_path / "first")
    training = {"start": str(tmp_path / "first"), "learning_rate": HARDLY, "epochs": 1}
    second = Recipe.of({**settings, "training": training})
    texts = [text for text, _ in rows[::20]]
    before = [each.value for each in load(tmp_path / "first", task="regression").predict(texts)]
    start, data = bundles.load(tmp_path / "first"), read_data(second)
    prepared = prepare(merge_pretrained(second, start), data, start)
    token_ids = [start.vocabulary.encode(text.split()) for text in texts]
    untouched = prepared.objective.answers(prepared.starts[START].quantized(), token_ids)
    assert untouched.tolist() == pytest.approx(before, abs=0.05)
    after = train(second, data, lambda _: None)
    assert after.metrics["dev"]["split of a.csv"]["rmse"] <= start.metrics["dev"]["split of a.csv"]["rmse"] + 0.05


def test_a_regression_that_starts_from_a_classifier_keeps_nothing_of_its_classifier(make_bundle: MakeBundle) -> None:
    pretrained, learned = make_bundle(seed=1), make_bundle(task="regression", seed=2).model
    start = SentimentModel(pretrained.model.config, vocabulary_size=len(pretrained.vocabulary), num_classes=1)
    copy_pretrained(start, (), pretrained)
    assert torch.equal(
        interpolate_towards(start, (), pretrained, 0.5)(learned).classifier.weight, learned.classifier.weight
    )


def test_words_or_vectors_at_hand_beside_it_are_refused(
    tmp_path: Path, write_reviews: Write, tiny_bundle: Path, tiny_classifier: Classifier
) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 40), tiny_bundle)
    with pytest.raises(ConfigError, match="a pretrained model brings its words and their vectors: leave others out"):
        train(recipe, read_data(recipe), lambda _: None, vocabulary=tiny_classifier.vocabulary)


def test_settled_twice_is_settled_once(make_bundle: MakeBundle) -> None:
    once = merge_pretrained(recipe_of(Path("a.csv"), Path("x")), make_bundle(num_layers=2))
    assert merge_pretrained(once, make_bundle(num_layers=2)) == once


def test_the_network_is_the_pretrained_one_and_the_dropouts_are_the_recipes(make_bundle: MakeBundle) -> None:
    pretrained = make_bundle(language="zh", num_layers=2, pooling="mean")
    recipe = merge_pretrained(
        recipe_of(Path("a.csv"), Path("x"), model={"embedding_dropout": 0.4, "dropout": 0.1}), pretrained
    )
    assert recipe.text == pretrained.text_config
    assert (recipe.model.hidden_size, recipe.model.num_layers, recipe.model.pooling) == (8, 2, "mean")
    assert (recipe.model.embedding_dropout, recipe.model.dropout) == (0.4, 0.1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": {"hidden_size": 16}}, r"model\.hidden_size: the pretrained model tiny has 8, not 16: leave it out"),
        ({"model": {"encoder": "cnn"}}, r"model\.encoder: the pretrained model tiny has 'lstm', not 'cnn'"),
        ({"text": {"language": "zh"}}, r"text\.language: the pretrained model tiny has 'en', not 'zh'"),
    ],
)
def test_what_it_can_not_be_is_refused(
    tmp_path: Path, write_reviews: Write, tiny_bundle: Path, settings: dict[str, Any], message: str
) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 40), tiny_bundle, **settings)
    with pytest.raises(ConfigError, match=message):
        train(recipe, read_data(recipe), lambda _: None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training": {"vectors": ["glove-6b-50d"]}}, "brings the vectors of its words: leave --vectors"),
        ({"vocabulary": {"max_size": 100}}, "brings its words: leave vocabulary"),
    ],
)
def test_its_words_are_its_own(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        recipe_of(Path("a.csv"), Path("models/x"), **settings)


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path, write_reviews: Write) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 40), tmp_path / "none")
    with pytest.raises(BundleError, match="none"):
        train(recipe, read_data(recipe), lambda _: None)


def test_another_pretrained_model_is_another_training(
    tmp_path: Path, write_reviews: Write, make_bundle: MakeBundle
) -> None:
    path, folder = write_reviews(tmp_path / "a.csv", 40), tmp_path / "start"
    found = []
    for seed in (1, 1, 2):
        bundles.save(make_bundle(seed=seed), folder)
        recipe = recipe_of(path, Path(f"{folder}/.") if found else folder)  # the same folder, spelled otherwise
        found.append(training_fingerprint(recipe, read_data(recipe)))
    assert found[0] == found[1]
    assert {name for name in found[0] if found[0][name] != found[2][name]} == {"start"}


def test_a_recipe_names_it_from_its_own_folder(tmp_path: Path) -> None:
    for name, expected in (("models/x", str(tmp_path / "models/x")), ("default", "default")):
        content = f'name = "a"\n[[train]]\npath = "x.csv"\n[training]\nstart = "{name}"\n'
        (tmp_path / "a.toml").write_text(content)
        assert Recipe.read(tmp_path / "a.toml").training.start == expected


def test_the_command_starts_from_the_shipped_model(tmp_path: Path, write_reviews: Write) -> None:
    command = ["train", str(write_reviews(tmp_path / "a.csv", 60)), "--from", "default", "--epochs", "1"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "mine"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[0])["parameters"] > 1_000_000
    assert not console.quiet  # for what comes next in this process
    classifier = load(tmp_path / "mine")
    assert classifier.predict(["A masterpiece from start to end."])[0].label == "positive"  # no word of the rows
    done = CliRunner().invoke(app, [*command, "--hidden-size", "64", "--out", str(tmp_path / "other")])
    assert isinstance(done.exception, ConfigError)
    assert "model.hidden_size: the pretrained model default has 256, not 64" in str(done.exception)
