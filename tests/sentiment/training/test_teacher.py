from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sentiment.batching import PaddedBatch
from sentiment.errors import ConfigError
from sentiment.training.teacher import Teacher, encoder_folder, is_taught

SaveEncoder = Callable[[Path], Path]
LABELS = ("negative", "positive")
TEXTS = ["the film was great", "the plot was dull and the cast was awful", "bad"]


@pytest.fixture(scope="module")
def folder(save_encoder: SaveEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture(scope="module")
def teacher(folder: Path) -> Teacher:
    return Teacher.start(str(folder), LABELS).eval()


def test_padding_changes_nothing(teacher: Teacher) -> None:
    token_ids = teacher.encode(TEXTS)
    together = teacher(PaddedBatch.of(token_ids))  # (N, C)
    alone = torch.cat([teacher(PaddedBatch.of([row])) for row in token_ids])  # (N, C)
    assert torch.allclose(together, alone, atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=1e-3)


def test_it_reads_text_in_the_one_form_that_all_models_read(teacher: Teacher) -> None:
    treebank, plain = teacher.encode(["The film was n't `` great ''", 'the film wasn\'t "great"'])
    assert treebank == plain


def test_a_long_text_keeps_its_head_and_its_tail(teacher: Teacher) -> None:
    long = "the film " * 30 + "was bad"
    other_middle = "the film " + "great " * 59 + "was bad"
    assert torch.equal(*(teacher.probabilities([text], 4) for text in (long, other_middle)))
    assert not torch.equal(*(teacher.probabilities([text], 4) for text in (long, long + " great")))


def test_saved_and_loaded_it_says_the_same(teacher: Teacher, tmp_path: Path) -> None:
    assert not is_taught(tmp_path / "taught")
    teacher.save(tmp_path / "taught")
    assert is_taught(tmp_path / "taught")
    loaded = Teacher.load(tmp_path / "taught")
    assert loaded.labels == LABELS
    said = loaded.probabilities(TEXTS, 32)  # (N, C)
    assert torch.equal(said, teacher.probabilities(TEXTS, 32))
    assert said.sum(dim=-1).tolist() == pytest.approx([1.0] * 3)
    assert not list((tmp_path / "taught").glob("*.bin"))


def test_frozen_layers_stay_as_they_were_pretrained_and_the_others_learn(folder: Path) -> None:
    for layers, learns in ((0, True), (1, False)):
        teacher = Teacher.start(str(folder), LABELS)
        teacher.freeze(layers)
        teacher(PaddedBatch.of(teacher.encode(TEXTS))).square().sum().backward()
        assert teacher.embedding.weight.grad is None
        assert teacher.classifier.weight.grad is not None
        [query] = [
            part for name, part in teacher.encoder.named_parameters() if name.endswith("0.attention.self.query.weight")
        ]
        assert (query.grad is not None) is learns


@pytest.mark.parametrize("source", ["no-such-package", "json", "../escape", ""])
def test_what_holds_no_encoder_is_refused(source: str) -> None:
    with pytest.raises(ConfigError, match=r"--teacher: '.*' is neither a folder nor an installed package that holds"):
        encoder_folder(source)


def test_a_folder_without_safetensors_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(ConfigError, match="holds config.json and model.safetensors side by side"):
        encoder_folder(str(tmp_path))


def test_a_broken_encoder_is_one_line(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(ConfigError, match=r"^--teacher: .* can't be read: [^\n]+$"):
        Teacher.start(str(tmp_path), LABELS)


def test_a_package_is_found_by_its_name(
    save_encoder: SaveEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = save_encoder(tmp_path / "tiny_encoder_of_a_test" / "model")
    (package.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert encoder_folder("tiny-encoder-of-a-test") == package
