"""The names of the command line, and the networks they stand for."""

import pytest

from sentiment.cli.networks import Encoder, InitialState, Pooling, network
from sentiment.config import ModelConfig


def test_the_default_is_the_bidirectional_lstm_that_the_library_makes() -> None:
    given = network(Encoder.BILSTM, pooling=Pooling.FINAL, initial_state=InitialState.ZERO, num_layers=None)
    assert ModelConfig.of(given) == ModelConfig()


@pytest.mark.parametrize("encoder", Encoder)
def test_every_name_is_a_network(encoder: Encoder) -> None:
    config = ModelConfig.of(network(encoder, hidden_size=16))
    assert config.hidden_size == 16
    assert config.encoder == {"bilstm": "lstm"}.get(encoder.value, encoder.value)
    if encoder in (Encoder.RNN, Encoder.LSTM):
        assert not config.bidirectional
