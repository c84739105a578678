import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sentiment.batching import PaddedBatch
from sentiment.config import TextConfig
from sentiment.errors import ConfigError
from sentiment.text.tokenizer import Tokenizer
from sentiment.training.distillation.teacher import Teacher, encoder_folder, is_teacher

SaveEncoder = Callable[[Path], Path]
LABELS = ("negative", "positive")
TOKENIZER = Tokenizer(TextConfig())
TEXTS = ["the film was great", "the plot was dull and the cast was awful", "bad"]


@pytest.fixture(scope="module")
def folder(save_encoder: SaveEncoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoders") / "tiny")


@pytest.fixture(scope="module")
def teacher(folder: Path) -> Teacher:
    return Teacher.start(str(folder), LABELS).eval()


def said(teacher: Teacher, texts: list[str], max_pieces: int) -> torch.Tensor:
    """Return the teacher's answer to each text: (N, C)."""
    return teacher.read(TOKENIZER.place(texts), max_pieces, lambda states: states)[0]  # (N, C)


def test_a_tokens_state_is_the_mean_of_its_pieces(teacher: Teacher) -> None:
    text = "film 12 ~ bad"  # one piece, two, <unk>, one
    probabilities, [states] = teacher.read(TOKENIZER.place([text]), 32, lambda states: states)  # (1, C), (T, F)
    batch = PaddedBatch.of(teacher.encode([text]))
    with torch.inference_mode():
        pieces = teacher.states(batch)[0]  # (7, F): with the two at the ends
        logits = teacher(batch)  # (1, C)
    expected = torch.stack([pieces[1], pieces[2:4].mean(dim=0), pieces[4], pieces[5]])  # (T, F)
    torch.testing.assert_close(states, expected)
    torch.testing.assert_close(probabilities, logits.double().softmax(dim=-1))


def test_it_reads_in_each_format_nearly_the_same(teacher: Teacher, dtype: str) -> None:
    placed = TOKENIZER.place(TEXTS)
    exact, states = teacher.read(placed, 32, lambda states: states)  # (N, C), (T, F) each
    found, others = teacher.read(placed, 32, lambda states: states @ torch.eye(16), dtype)
    assert {each.dtype for each in others} == {torch.float32}, "what it projects is not what autocast gives"
    torch.testing.assert_close(found, exact, rtol=0, atol=0.02)
    for other, state in zip(others, states, strict=True):
        torch.testing.assert_close(other, state, rtol=0, atol=0.1)
    assert torch.equal(found, exact) is (dtype == "float32")


def test_a_token_that_is_not_read_has_no_state(teacher: Teacher) -> None:
    placed = TOKENIZER.place(["the film was great bad", ""])
    states, none = teacher.read(placed, 4, lambda states: states)[1]  # (T, F), (0, F)
    # Of 7 pieces the first and the last three are read.
    assert states[:, 0].isnan().tolist() == [True, True, True, False, False]
    assert none.shape == (0, 16)


def test_pieces_of_bytes_have_their_places_too(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import RobertaConfig, RobertaModel, RobertaTokenizerFast

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    marks = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    pieces.train_from_iterator(
        TEXTS * 20, trainers.BpeTrainer(vocab_size=320, special_tokens=marks, initial_alphabet=alphabet)
    )
    pieces.model.save(str(tmp_path))
    tokenizer = RobertaTokenizerFast.from_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    RobertaModel(RobertaConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(tmp_path)
    teacher = Teacher.start(str(tmp_path), LABELS).eval()
    text = "the film wasn't dull"  # tokens: the film was n't dull
    [states] = teacher.read(TOKENIZER.place([text]), 32, lambda states: states)[1]  # (T, F)
    spans = tokenizer([text], return_offsets_mapping=True)["offset_mapping"][0]
    with torch.inference_mode():
        pieces = teacher.states(PaddedBatch.of(teacher.encode([text])))[0]  # (pieces, F)
    meeting = [place for place, (start, end) in enumerate(spans) if start < 15 and end > 12]
    torch.testing.assert_close(states[3], pieces[meeting].mean(dim=0))
    assert not states.isnan().any()


def test_it_labels_the_pieces_that_it_was_taught(teacher: Teacher) -> None:
    texts = ["The film wasn't great", "the film was n't great", "see https://example.org/a, @me: bad", "we cannot"]
    with torch.inference_mode():
        taught = torch.cat([teacher(PaddedBatch.of([row])) for row in teacher.encode(texts)])  # (N, C)
    labelled, states = teacher.read(TOKENIZER.place(texts), 64, lambda states: states)  # (N, C), (T, F) each
    torch.testing.assert_close(labelled, taught.double().softmax(dim=-1))
    assert [len(each) for each in states] == [len(text.tokens) for text in TOKENIZER.tokenize(texts)]
    assert not any(each.isnan().any() for each in states), "can and not share the pieces of a word"


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
    assert torch.equal(*(said(teacher, [text], 4) for text in (long, other_middle)))
    assert not torch.equal(*(said(teacher, [text], 4) for text in (long, long + " great")))


def test_saved_and_loaded_it_says_the_same(teacher: Teacher, tmp_path: Path) -> None:
    assert not is_teacher(tmp_path / "taught")
    teacher.save(tmp_path / "taught")
    assert is_teacher(tmp_path / "taught")
    loaded = Teacher.load(tmp_path / "taught")
    assert loaded.labels == LABELS
    found = said(loaded, TEXTS, 32)  # (N, C)
    assert torch.equal(found, said(teacher, TEXTS, 32))
    assert found.sum(dim=-1).tolist() == pytest.approx([1.0] * 3)
    assert not list((tmp_path / "taught").glob("*.bin"))


def test_it_learns_without_dropout(teacher: Teacher) -> None:
    assert teacher.encoder.config.hidden_dropout_prob > 0
    learner = copy.deepcopy(teacher).train()
    batch = PaddedBatch.of(learner.encode(TEXTS))
    once, again = learner(batch), learner(batch)  # (N, C) each
    assert torch.equal(once, again)
    once.sum().backward()
    assert all(each.grad is not None for each in learner.encoder.encoder.layer.parameters())


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
