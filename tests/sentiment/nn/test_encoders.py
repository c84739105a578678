"""Every network: exact in any batch, and every parameter used."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment.batching import PaddedBatch
from sentiment.errors import ConfigError
from sentiment.nn.encoders import KERNEL_SIZES, InitialState, Pooling
from sentiment.text.vocabulary import PAD_ID
from tests.sentiment.nn.networks import ROWS, H, model_of

NETWORKS: dict[str, dict[str, Any]] = {
    "bow": {"encoder": "bow"},
    "cnn": {"encoder": "cnn"},
    "rnn": {"encoder": "rnn", "bidirectional": False},
    "birnn": {"encoder": "rnn", "num_layers": 2},
    "lstm": {"bidirectional": False},
    "bilstm": {},
    **{pooling: {"pooling": pooling, "num_layers": 2} for pooling in ("final_and_cell", "max", "mean", "attention")},
    "stepwise": {"pooling": "stepwise", "bidirectional": False, "num_layers": 2},
    "stepwise rnn": {"pooling": "stepwise", "encoder": "rnn", "bidirectional": False, "initial_state": "learned"},
    "learned": {"initial_state": "learned", "num_layers": 2},
    "learned rnn": {"encoder": "rnn", "initial_state": "learned"},
    "learned, cell": {"initial_state": "learned", "pooling": "final_and_cell"},
    "random": {"initial_state": "random"},
}
NO_DROPOUT = {"embedding_dropout": 0.0, "output_dropout": 0.0}


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_a_row_alone_equals_it_among_others(settings: dict[str, Any]) -> None:
    model = model_of(**settings)
    with torch.inference_mode():
        together = model(PaddedBatch.of(ROWS))
        alone = torch.cat([model(PaddedBatch.of([row])) for row in ROWS])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)
    assert together.std(dim=0).min() > 0.01


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_the_order_of_tokens_matters_but_to_a_bag_of_words(settings: dict[str, Any]) -> None:
    model = model_of(**settings)
    with torch.inference_mode():
        forth, back = model(PaddedBatch.of([ROWS[3]])), model(PaddedBatch.of([ROWS[3][::-1]]))
    gap = (forth - back).abs().max().item()
    assert gap < 1e-5 if settings.get("encoder") == "bow" else gap > 1e-3


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_every_parameter_learns_and_the_padding_does_not(settings: dict[str, Any]) -> None:
    model = model_of(**settings).train()
    nn.functional.cross_entropy(model(PaddedBatch.of(ROWS)), torch.tensor([0, 1, 2, 0])).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name
    assert not model.embedding.weight.grad[PAD_ID].any()


@pytest.mark.parametrize("encoder", ["rnn", "lstm"])
@pytest.mark.parametrize("learned", [False, True])
def test_states_equal_the_packed_way(encoder: str, learned: bool) -> None:
    model = model_of(encoder=encoder, num_layers=2, initial_state="learned" if learned else "zero")
    batch = PaddedBatch.of(ROWS)
    embedded = model.embedding(batch.token_ids)  # (N, T, F)
    packed = pack_padded_sequence(embedded, batch.lengths, batch_first=True, enforce_sorted=False)
    initial = model.initial_state(len(ROWS)) if model.initial_state is not None else None
    if encoder == "rnn":
        plain_output, plain_ht = nn.RNN.forward(model.rnn, packed, None if initial is None else initial[0])
    else:
        plain_output, (plain_ht, plain_ct) = nn.LSTM.forward(model.lstm, packed, initial)
        ht, ct = model.lstm.final_states_and_cells(embedded, batch.lengths, initial)
        torch.testing.assert_close((ht, ct), (plain_ht, plain_ct), atol=1e-5, rtol=0)
    recurrence = model.rnn if encoder == "rnn" else model.lstm
    output, ht = recurrence(embedded, batch.lengths, initial)
    torch.testing.assert_close(ht, plain_ht, atol=1e-5, rtol=0)
    padded, _ = pad_packed_sequence(plain_output, batch_first=True)  # (N, T, 2H)
    for row, length in enumerate(batch.lengths.tolist()):
        torch.testing.assert_close(output[row, :length], padded[row, :length], atol=1e-5, rtol=0)


def test_poolings_are_what_they_say() -> None:
    output, lengths = torch.randn(2, 4, H), torch.tensor([4, 2])  # (N, T, H)
    assert torch.equal(Pooling("max", H)(output, lengths)[1], output[1, :2].amax(dim=0))
    torch.testing.assert_close(Pooling("mean", H)(output, lengths)[1], output[1, :2].mean(dim=0))
    attention = Pooling("attention", H)
    scores = attention.score(torch.tanh(attention.hidden(output[1, :2]))).softmax(dim=0)  # (T, 1)
    torch.testing.assert_close(attention(output, lengths)[1], (scores * output[1, :2]).sum(dim=0))


def test_filters_see_windows_of_their_width_and_zeros_beyond_the_text() -> None:
    model = model_of(encoder="cnn")
    widths = [convolution.weight.shape[2] for convolution in model.cnn.convolutions]
    assert widths == list(KERNEL_SIZES) == [3, 4, 5]
    embedded = torch.randn(1, 2, 6)  # (N, T, F)
    features = model.cnn(embedded, torch.tensor([2]))  # (N, 3H)
    weight, bias = model.cnn.convolutions[0].weight, model.cnn.convolutions[0].bias  # (H, F, 3), (H,)
    first = weight[:, :, 1] @ embedded[0, 0] + weight[:, :, 2] @ embedded[0, 1] + bias  # (H,)
    second = weight[:, :, 0] @ embedded[0, 0] + weight[:, :, 1] @ embedded[0, 1] + bias  # (H,)
    torch.testing.assert_close(features[0, :H], torch.maximum(first, second).relu(), atol=1e-5, rtol=0)


def test_random_states_are_drawn_in_training_alone() -> None:
    model, batch = model_of(initial_state="random", **NO_DROPOUT), PaddedBatch.of(ROWS)
    assert torch.equal(model(batch), model(batch))
    assert torch.equal(model(batch), model_of(**NO_DROPOUT)(batch))
    model.train()
    assert not torch.equal(model(batch), model(batch))
    assert InitialState("random", 2, H).eval()(3) is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"encoder": "rnn", "pooling": "final_and_cell"},
            "an rnn has no cell: pooling final_and_cell needs the encoder",
        ),
        ({"encoder": "bow", "pooling": "max"}, "the encoder bow is not recurrent: leave pooling at final"),
        ({"encoder": "cnn", "num_layers": 2}, "the encoder cnn is not recurrent: leave num_layers at 1"),
        ({"encoder": "bow", "pooling": "stepwise"}, "the encoder bow is not recurrent: leave pooling at final"),
        *(
            ({"encoder": encoder, "pooling": "stepwise"}, "a network that reads one way, --encoder lstm or rnn")
            for encoder in ("lstm", "rnn")
        ),
        ({"encoder": "bow", "bidirectional": False}, "the encoder bow is not recurrent: leave bidirectional at True"),
        ({"encoder": "gru"}, "encoder: Input should be 'bow', 'cnn', 'rnn' or 'lstm', not 'gru'"),
    ],
)
def test_what_nothing_would_read_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        model_of(**settings)
