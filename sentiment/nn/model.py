"""The whole network: embed, read both ways, classify."""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from sentiment.batching import MAX_BATCH_TOKENS, PaddedBatch, length_buckets
from sentiment.config import ModelConfig
from sentiment.errors import ConfigError
from sentiment.nn import integer_lstm
from sentiment.nn.encoders import KERNEL_SIZES, BagOfWords, InitialState, Pooling, TextCNN
from sentiment.nn.integer_lstm import IntegerLSTM
from sentiment.nn.integers import QuantizedWeight, exact_linear
from sentiment.nn.lstm import PaddedLSTM, PaddedRNN
from sentiment.text.vocabulary import PAD_ID


class SentimentModel(nn.Module):
    """Map token ids to logits through the final `ht` of both directions of the top layer, or as `config` says."""

    lstm: PaddedLSTM  # only if `config.encoder` says so; so are the others
    rnn: PaddedRNN
    bow: BagOfWords
    cnn: TextCNN

    def __init__(self, config: ModelConfig, *, vocabulary_size: int, num_classes: int) -> None:
        super().__init__()
        self.config = config
        self.directions = 2 if config.bidirectional else 1
        self.integer_lstm: IntegerLSTM | None = None  # replaces `lstm` in prediction once it is quantized
        self.embedding = nn.Embedding(vocabulary_size, config.embedding_size, padding_idx=PAD_ID)
        self.initial_state: InitialState | None = None
        match config.encoder:
            case "bow":
                self.bow = BagOfWords(config.embedding_size, config.hidden_size)
                features = config.hidden_size
            case "cnn":
                self.cnn = TextCNN(config.embedding_size, config.hidden_size)
                features = len(KERNEL_SIZES) * config.hidden_size
            case _:
                features = self._add_recurrence(config)
        self.output_dropout = nn.Dropout(config.output_dropout)
        self.classifier = nn.Linear(features, num_classes)

    def forward(self, batch: PaddedBatch) -> Tensor:
        """Return the logits (N, C) of a batch; a row's don't depend on its batch or its padding."""
        if self.integer_lstm is not None and not self.training:
            return self._classify_exactly(self._top(self.integer_lstm.final_states(batch)))  # (N, C)
        embedded = self._drop(self.embedding(batch.token_ids))  # (N, T, F)
        features = self.features(embedded, batch.lengths)  # (N, 2H)
        return self.classifier(self.output_dropout(features))  # (N, C)

    def features(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Return the input of the classifier: (N, 2H) of a bidirectional LSTM's final `ht`. `embedded` is (N, T, F)."""
        match self.config.encoder:
            case "bow":
                return self.bow(embedded, lengths)  # (N, H)
            case "cnn":
                return self.cnn(embedded, lengths)  # (N, 3H)
        recurrence = self.lstm if self.config.encoder == "lstm" else self.rnn
        initial = self.initial_state(len(lengths)) if self.initial_state is not None else None
        match self.config.pooling:
            case "final" | "stepwise":  # a text's answer is its last step's
                return self._top(recurrence.final_states(embedded, lengths, initial))  # (N, 2H)
            case "final_and_cell":
                ht, ct = self.lstm.final_states_and_cells(embedded, lengths, initial)  # (2L, N, H) each
                return torch.cat([self._top(ht), self._top(ct)], dim=-1)  # (N, 4H)
        output, _ = recurrence(embedded, lengths, initial)  # (N, T, 2H)
        return self.pooling(output, lengths)  # (N, 2H)

    def steps(self, batch: PaddedBatch) -> Tensor:
        """Return the logits (N, T, C) after each token; past a row's length they have no meaning.

        Raises ConfigError for a network that doesn't read one way, from the first token to the last.
        """
        if not self.config.reads_one_way:
            raise ConfigError(
                "an answer after each word takes a network that reads one way, --encoder lstm or rnn with --pooling "
                f"stepwise or final; this model's encoder is {self.config.encoder}, pooling {self.config.pooling}, "
                f"bidirectional {self.config.bidirectional}"
            )
        if self.integer_lstm is not None and not self.training:
            return self._classify_exactly(self.integer_lstm.output(batch))  # (N, T, C)
        embedded = self._drop(self.embedding(batch.token_ids))  # (N, T, F)
        recurrence = self.lstm if self.config.encoder == "lstm" else self.rnn
        initial = self.initial_state(len(batch.lengths)) if self.initial_state is not None else None
        output, _ = recurrence(embedded, batch.lengths, initial)  # (N, T, H)
        return self.classifier(self.output_dropout(output))  # (N, T, C)

    def _add_recurrence(self, config: ModelConfig) -> int:
        """Add the recurrent encoder and what it needs. Return the number of features that it outputs."""
        settings = {
            "num_layers": config.num_layers,
            "bias": config.bias,
            "dropout": config.dropout,
            "weight_drop": config.weight_drop,
            "bidirectional": config.bidirectional,
        }
        if config.encoder == "lstm":
            self.lstm = PaddedLSTM(config.embedding_size, config.hidden_size, **settings)
        else:
            self.rnn = PaddedRNN(config.embedding_size, config.hidden_size, **settings)
        features = self.directions * config.hidden_size
        if config.initial_state != "zero":
            states = config.num_layers * self.directions
            has_cell = config.encoder == "lstm"
            self.initial_state = InitialState(config.initial_state, states, config.hidden_size, has_cell=has_cell)
        if config.pooling == "final_and_cell":
            return 2 * features
        if config.pooling not in ("final", "stepwise"):
            self.pooling = Pooling(config.pooling, features)
        return features

    @property
    def is_plain(self) -> bool:
        """Return whether it classifies the final `ht` of one LSTM layer that starts from zeros, on a CPU in float32."""
        if self.config.encoder != "lstm" or self.initial_state is not None or self.config.num_layers > 1:
            return False
        weight = self.embedding.weight
        is_cpu_float32 = weight.dtype == torch.float32 and weight.device.type == "cpu"
        return self.config.pooling in ("final", "stepwise") and is_cpu_float32

    def quantized(self) -> "SentimentModel":
        """Return a copy that answers in integers, with weights to match; itself if its kind stays in float32."""
        if not self.integer_names:
            return self
        model = copy.deepcopy(self)
        model.answer_in_integers({name: QuantizedWeight.of(model.get_parameter(name)) for name in model.integer_names})
        return model

    def in_float32(self) -> "SentimentModel":
        """Return a copy that computes in float32 with the numbers that its integers represent."""
        model = copy.deepcopy(self)
        model.integer_lstm = None
        return model

    def answer_in_integers(self, weights: Mapping[str, QuantizedWeight]) -> None:
        """Take these integers, one matrix for each of `integer_names`, as the weights, and answer with them."""
        for name, weight in weights.items():
            self.get_parameter(name).data = weight.dequantize()
        self.integer_lstm = IntegerLSTM(weights, self.lstm)

    @property
    def integer_names(self) -> list[str]:
        """Return the names of the parameters that can be integers; none for kinds that stay in float32."""
        if not self.is_plain or max(self.config.embedding_size, self.config.hidden_size) > integer_lstm.MAX_SIZE:
            return []
        matrices = [f"lstm.{name}_l0{suffix}" for suffix in self.lstm.suffixes for name in ("weight_ih", "weight_hh")]
        return [integer_lstm.EMBEDDING, *matrices]

    def _classify_exactly(self, states: Tensor) -> Tensor:
        """Return the logits (..., C) of states (..., 2H)."""
        return exact_linear(states, self.classifier.weight, self.classifier.bias)

    def _top(self, states: Tensor) -> Tensor:
        """Return the top layer's states of both directions side by side: (N, 2H) of (L x directions, N, H)."""
        return torch.cat(tuple(states[-self.directions :]), dim=-1)  # (N, 2H)

    def _drop(self, embedded: Tensor) -> Tensor:
        """Drop a feature at all time steps of a text or at none: locked dropout (Gal and Ghahramani 2016)."""
        keep = 1 - self.config.embedding_dropout
        if not self.training or keep == 1:
            return embedded
        mask = embedded.new_empty(embedded.shape[0], 1, embedded.shape[2]).bernoulli_(keep)  # (N, 1, F)
        return embedded * mask / keep

    def buckets(self, lengths: Sequence[int]) -> list[list[int]]:
        """Group the indices of rows of these lengths into batches, for the least work."""
        if self.integer_lstm is None:
            return length_buckets(lengths, MAX_BATCH_TOKENS)
        return length_buckets(lengths, integer_lstm.MAX_BATCH_TOKENS, len(lengths), integer_lstm.SHORT)

    def num_parameters(self) -> int:
        """Return the number of learned parameters."""
        return sum(parameter.numel() for parameter in self.parameters())
