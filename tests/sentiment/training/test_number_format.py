import pytest
import torch

from sentiment.batching import PaddedBatch
from sentiment.config import ModelConfig, TrainingConfig
from sentiment.nn.model import SentimentModel
from sentiment.nn.precision import DtypeChoice
from sentiment.training import number_format
from sentiment.training.number_format import training_dtype
from sentiment.training.optimization import adamw, train_step
from sentiment.training.processes import Processes
from sentiment.training.resume.checkpoint import Saved

ROWS = [[2, 3], [4], [5, 6, 7], [3]]
TARGETS = torch.eye(2).repeat(2, 1)  # (N, C)


def model_of() -> SentimentModel:
    torch.manual_seed(0)
    return SentimentModel(ModelConfig(embedding_size=4, hidden_size=4), vocabulary_size=8, num_classes=2)


def test_auto_runs_a_step_in_each_format_and_leaves_all_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTIMENT_TEST_DTYPE")
    model = model_of()
    before, generator = [each.clone() for each in model.parameters()], torch.get_rng_state()
    choice = training_dtype(model, ROWS, TARGETS, TrainingConfig())
    assert choice.dtype in ("float32", "bfloat16")
    assert set(choice.seconds) == {"float32", "bfloat16"}
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), before, strict=True))
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_is_measured_is_the_training_step_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def step(*arguments: object) -> float:
        config = next(each for each in arguments if isinstance(each, TrainingConfig))
        seen.append(config.dtype)
        return 0.0

    def both(work: object) -> DtypeChoice:
        assert callable(work)
        for dtype in ("float32", "bfloat16"):
            work(dtype)
        return DtypeChoice("bfloat16")

    monkeypatch.setattr(number_format, "train_step", step)
    monkeypatch.setattr(number_format, "choose_dtype", both)
    assert training_dtype(model_of(), ROWS, TARGETS, TrainingConfig()).dtype == "bfloat16"
    assert seen == ["float32", "bfloat16"]


def test_a_rate_that_diverges_in_a_few_steps_is_measured_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SENTIMENT_TEST_DTYPE")
    seen: list[float] = []
    monkeypatch.setattr(
        number_format, "train_step", lambda *given: seen.extend(group["lr"] for group in given[3].param_groups)
    )
    training_dtype(model_of(), ROWS, TARGETS, TrainingConfig(learning_rate=1.0))
    assert set(seen) == {0.0}


def test_a_setting_and_a_checkpoint_decide_without_measuring(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_format, "choose_dtype", lambda work: pytest.fail("measured"))
    model = model_of()
    assert training_dtype(model, ROWS, TARGETS, TrainingConfig(dtype=dtype)) == DtypeChoice(dtype)
    assert training_dtype(model, ROWS, TARGETS, TrainingConfig(), Saved({}, {"dtype": dtype})) == DtypeChoice(dtype)


@pytest.mark.parametrize("rank", [0, 1])
def test_the_first_process_decides_for_all(rank: int, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTIMENT_TEST_DTYPE", dtype if rank == 0 else "none")
    said: list[float] = []

    def broadcast(self: Processes, value: float) -> float:
        said.append(value)
        return ["float32", "bfloat16"].index(dtype)

    monkeypatch.setattr(Processes, "broadcast", broadcast)
    assert training_dtype(model_of(), ROWS, TARGETS, TrainingConfig(), processes=Processes(rank, 2)).dtype == dtype
    assert len(said) == 1


def test_a_step_computes_in_its_format(dtype: str) -> None:
    model, seen = model_of().train(), []
    model.classifier.register_forward_hook(lambda _, inputs, output: seen.append(output.dtype))
    config = TrainingConfig(dtype=dtype)
    train_step(model, ROWS, TARGETS, adamw(model, config), config)
    assert seen == [getattr(torch, dtype)]
    assert model(PaddedBatch.of(ROWS)).dtype == torch.float32
