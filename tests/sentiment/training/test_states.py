from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch

from sentiment import bundle as bundles
from sentiment.batching import PaddedBatch
from sentiment.bundle import Bundle
from sentiment.config import ModelConfig
from sentiment.errors import DataError
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.reading import read_soft_labelled
from sentiment.training.data.splits import read_data
from sentiment.training.distillation.token_states import (
    Projection,
    StateReader,
    StateTargets,
    from_bytes,
    read_states,
    state_loss,
    to_bytes,
)
from sentiment.training.loop import Progress
from sentiment.training.recipe import Recipe, Source
from sentiment.training.resume.fingerprint import training_fingerprint
from sentiment.training.trainer import train

Write = Callable[[Path, int], Path]
ROWS = [[2, 3, 4, 5], [6], [7, 8]]


def reader(**settings: Any) -> StateReader:
    torch.manual_seed(0)
    config = ModelConfig(**{"embedding_size": 6, "hidden_size": 5, **settings})
    return StateReader(config, state_size=3, vocabulary_size=10, num_classes=2)


def test_the_states_keep_their_directions_of_most_variance_scaled_to_one() -> None:
    rng = torch.Generator().manual_seed(0)
    states = torch.randn(4000, 4, generator=rng) * torch.tensor([0.1, 5.0, 0.1, 2.0]) + 7
    project = Projection.of(torch.cat([states, torch.full((9, 4), torch.nan)]), 2)
    kept = project(states)  # (tokens, K)
    assert kept.mean(dim=0).tolist() == pytest.approx([0, 0], abs=1e-4)
    assert kept.var(dim=0).tolist() == pytest.approx([25 / 29, 4 / 29], abs=0.02)
    assert project.directions.abs().argmax(dim=0).tolist() == [1, 3]


def test_a_table_holds_them_in_two_bytes_a_number() -> None:
    states = torch.tensor([[0.5, -1.0], [torch.nan, 2.0], [3.0, 4.0]])
    content = to_bytes(states)
    assert len(content) == 12
    assert torch.equal(from_bytes(content, 3).nan_to_num(9.0), states.half().nan_to_num(9.0))
    with pytest.raises(ValueError, match="6 numbers can't be shared by 4 tokens"):
        from_bytes(content, 4)


@pytest.mark.parametrize("settings", [{}, {"num_layers": 2}, {"bidirectional": False}], ids=str)
def test_the_answers_are_the_networks_own(settings: dict[str, Any]) -> None:
    model = reader(**settings).eval()
    logits, said = model.with_states(PaddedBatch.of(ROWS))  # (N, C), (N, T, K)
    assert said.shape == (3, 4, 3)
    plain = model.without_states()
    torch.testing.assert_close(plain(PaddedBatch.of(ROWS)), logits)
    assert not any("state" in name for name in plain.state_dict())
    assert plain.num_parameters() == model.num_parameters()
    alone = model.with_states(PaddedBatch.of(ROWS[2:]))[1]  # (1, 2, K)
    torch.testing.assert_close(alone[0], said[2, :2])
    backwards = model.with_states(PaddedBatch.of([ROWS[0][::-1]]))[1]  # (1, T, K)
    assert not torch.allclose(backwards[0].flip(0), said[0], atol=1e-3)


def test_the_loss_is_a_mean_over_rows_without_padding_and_without_what_is_not_known() -> None:
    said = torch.zeros(4, 3, 2, requires_grad=True)  # (N, T, K)
    lengths = torch.tensor([3, 1, 2, 1])
    states = [torch.full((3, 2), 2.0), None, torch.tensor([[torch.nan, torch.nan], [1.0, 0.0]]), torch.ones(1, 2)]
    loss = state_loss(said, lengths, states)
    assert loss.item() == pytest.approx((8 + 0 + 1 / 2 + 2) / 4)
    halves = [state_loss(said[part], lengths[part], states[part]).item() / 2 for part in (slice(0, 2), slice(2, 4))]
    assert sum(halves) == pytest.approx(loss.item())
    loss.backward()
    assert said.grad is not None
    assert said.grad.isfinite().all()
    assert [said.grad[row].abs().sum().item() > 0 for row in range(4)] == [True, False, True, True]
    assert (said.grad[3, 1:] == 0).all()
    assert state_loss(said, lengths, [None] * 4).item() == 0


def test_targets_are_taken_by_rows_and_by_shares() -> None:
    targets = StateTargets(torch.eye(3), [None, torch.ones(1, 2), torch.zeros(1, 2)])
    chosen = targets[[2, 0]]
    assert chosen.probabilities.argmax(dim=1).tolist() == [2, 0]
    assert chosen.states[0] is targets.states[2]
    assert chosen.states[1] is None
    assert len(targets[1::2].states) == len(targets[1::2].probabilities) == 1


@pytest.fixture
def labelled(tmp_path: Path, write_labelled: Write) -> Path:
    return write_labelled(tmp_path / "labelled.parquet", 200)


def recipe_of(gold: Path, soft: Path, **settings: Any) -> Recipe:
    sources = [{"path": gold}, {"path": soft, "soft_labels": True}]
    model = {"embedding_size": 8, "hidden_size": 8, **settings.pop("model", {})}
    training = {"epochs": 2, "learning_rate": 0.02, **settings.pop("training", {})}
    return Recipe.of({"name": "toy", "train": sources, "model": model, "training": training, **settings})


def trained(recipe: Recipe, report: Callable[[Progress], None] = lambda _: None, **settings: Any) -> Bundle:
    return train(recipe, read_data(recipe), report, **settings)


def test_a_training_learns_them_and_the_model_is_as_any_other(
    tmp_path: Path, write_reviews: Write, labelled: Path
) -> None:
    gold, without = write_reviews(tmp_path / "a.csv", 60), tmp_path / "without.parquet"
    pl.read_parquet(labelled).drop("states").write_parquet(without)
    losses: dict[Path, list[float]] = {labelled: [], without: []}
    found = {
        path: trained(recipe_of(gold, path), lambda progress, path=path: losses[path].append(progress.loss))
        for path in losses
    }
    for path, bundle in found.items():
        bundles.save(bundle, tmp_path / path.stem)
        assert bundles.load(tmp_path / path.stem).model.num_parameters() == bundle.model.num_parameters()
    assert losses[labelled][0] > losses[without][0] + 0.2  # the states' loss is added to that of the labels
    assert losses[labelled][-1] - losses[without][-1] < (losses[labelled][0] - losses[without][0]) / 2  # and falls
    own, other = (bundle.model.lstm.weight_hh_l0 for bundle in found.values())
    assert not torch.equal(own, other)


def test_a_network_of_another_kind_leaves_them_alone(tmp_path: Path, write_reviews: Write, labelled: Path) -> None:
    gold, without = write_reviews(tmp_path / "a.csv", 60), tmp_path / "without.parquet"
    pl.read_parquet(labelled).drop("states").write_parquet(without)
    for settings in ({"pooling": "max"}, {"encoder": "cnn"}, {"initial_state": "learned"}):
        own, other = (trained(recipe_of(gold, path, model=settings)).model.state_dict() for path in (labelled, without))
        assert all(torch.equal(own[name], other[name]) for name in own), settings


def test_states_of_other_sizes_are_refused_by_row() -> None:
    part = LabelledTexts(name="a", texts=["a b", "c d"], labels=["x", "x"], states=[bytes(2 * 2 * 3), bytes(2 * 2 * 4)])
    message = r"a: row 2 holds states of another text .*: 4 numbers for each of 2 tokens, and 3 in rows before; have a"
    with pytest.raises(DataError, match=message):
        read_states(part, [["a", "b"], ["c", "d"]], 9)


def test_files_with_and_without_states_are_one_set(tmp_path: Path, labelled: Path) -> None:
    table = pl.read_parquet(labelled)
    (tmp_path / "parts").mkdir()
    for name, part in (("a", table.head(2).drop("states")), ("b", table.head(4).tail(2))):
        part.write_parquet(tmp_path / "parts" / f"{name}.parquet")
    found = read_soft_labelled(Source(path=tmp_path / "parts", soft_labels=True), ("negative", "positive"))
    assert found.states == [None, None, *table["states"][2:4]]


def test_killed_it_goes_on_to_the_same_weights(
    tmp_path: Path, write_reviews: Write, labelled: Path, train_killed_once: Callable[[Recipe], Bundle]
) -> None:
    recipe = recipe_of(write_reviews(tmp_path / "a.csv", 60), labelled)
    whole, resumed = trained(recipe), train_killed_once(recipe)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, resumed.model.state_dict()[name]), name


def test_other_states_are_another_training(tmp_path: Path, write_reviews: Write, labelled: Path) -> None:
    gold = write_reviews(tmp_path / "a.csv", 60)
    recipe = recipe_of(gold, labelled)
    before = training_fingerprint(recipe, read_data(recipe))
    table = pl.read_parquet(labelled)
    table.with_columns(pl.Series("states", table["states"].to_list()[::-1], dtype=pl.Binary)).write_parquet(labelled)
    after = training_fingerprint(recipe, read_data(recipe))
    assert [name for name in before if before[name] != after[name]] == ["train rows 2 (labelled.parquet)"]


def test_states_of_other_tokens_are_refused(tmp_path: Path, write_reviews: Write, labelled: Path) -> None:
    table = pl.read_parquet(labelled)
    table.with_columns(text=pl.col("text") + pl.lit(" again and again")).write_parquet(labelled)
    with pytest.raises(DataError, match=r"labelled\.parquet: row 1 holds states of another text.*have a teacher label"):
        trained(recipe_of(write_reviews(tmp_path / "a.csv", 60), labelled))
    for numbers, name in ((2, "labelled"), (1, "other")):
        states = pl.Series([bytes(2 * numbers * 6)] * 200, dtype=pl.Binary)
        table.with_columns(states=states).write_parquet(tmp_path / f"{name}.parquet")
    recipe = recipe_of(tmp_path / "a.csv", labelled)
    both = (*recipe.train, Source(path=tmp_path / "other.parquet", soft_labels=True))
    with pytest.raises(DataError, match="the states of the soft labels have 1 and 2 numbers a token"):
        trained(recipe.model_copy(update={"train": both}))
