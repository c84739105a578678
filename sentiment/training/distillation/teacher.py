"""Train a pretrained encoder with a classifier on the mean of its states; it is large and slow, and only a teacher.

transformers is imported here alone, and late: nothing but distillation needs it (`pip install '.[distil]'`).
"""

import importlib.util
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from sentiment.batching import PaddedBatch, head_and_tail, length_buckets
from sentiment.errors import ConfigError
from sentiment.nn.encoders import real_steps
from sentiment.nn.precision import autocast
from sentiment.text.edits import Span
from sentiment.text.normalization import normalize
from sentiment.text.tokenizer import PlacedTokens

LABELS = "labels.json"
CLASSIFIER = "classifier.safetensors"
LABELLING_BATCH_TOKENS = 1024  # of a large encoder, what more of them would save is less than they add to its caches

_LAYER = re.compile(r"\blayer\.(\d+)\.")  # in the names of a transformers encoder's weights


class Teacher(nn.Module):
    """Classify texts by the mean of an encoder's last states."""

    def __init__(self, encoder: Any, tokenizer: Any, labels: Sequence[str]) -> None:
        super().__init__()
        self.encoder: Any = encoder  # a transformers model: untyped
        self.tokenizer: Any = tokenizer
        self.labels = tuple(labels)
        self.classifier = nn.Linear(encoder.config.hidden_size, len(labels))

    @property
    def embedding(self) -> nn.Embedding:
        """Return the encoder's vectors of its word pieces."""
        return self.encoder.get_input_embeddings()

    @classmethod
    def start(cls, source: str, labels: Sequence[str]) -> "Teacher":
        """Return an encoder that is still to be taught `labels`: `source` is its folder, or the package that holds it.

        Raises ConfigError if there is none, or transformers isn't installed.
        """
        return cls(*_encoder(encoder_folder(source)), labels)

    @classmethod
    def load(cls, folder: Path) -> "Teacher":
        """Return the teacher that `save` wrote."""
        teacher = cls(*_encoder(folder), json.loads((folder / LABELS).read_bytes()))
        teacher.classifier.load_state_dict(load_file(folder / CLASSIFIER))
        return teacher.eval()

    def save(self, folder: Path) -> None:
        """Write a folder of safetensors and JSON; the labels last, so that a folder that has them is whole."""
        self.encoder.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        save_file(self.classifier.state_dict(), folder / CLASSIFIER)
        (folder / LABELS).write_text(json.dumps(self.labels))

    def train(self, mode: bool = True) -> "Teacher":
        """Let the classifier learn; the encoder learns as it answers, without dropout.

        One epoch needs none, and its random numbers take a sixth of a step on a CPU.
        """
        super().train(mode)
        self.encoder.eval()
        return self

    def freeze(self, layers: int) -> None:
        """Keep the vectors and so many of the lowest layers as they were pretrained: a step costs a third less.

        The lower layers know what words mean; a task changes the upper ones (Lee, Tang and Lin 2019).
        """
        self.embedding.requires_grad_(False)
        for name, parameter in self.encoder.named_parameters():
            number = _LAYER.search(name)
            if number is not None and int(number[1]) < layers:
                parameter.requires_grad_(False)

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the encoder's own token ids of each text in the one form that all models here read: (T,)."""
        token_ids: list[list[int]] = self.tokenizer([normalize(text) for text in texts])["input_ids"]
        return token_ids

    def states(self, batch: PaddedBatch) -> Tensor:
        """Return the encoder's last states of a batch: (N, T, F)."""
        mask = real_steps(batch.lengths, batch.token_ids.shape[1]).squeeze(-1).long()  # (N, T)
        states: Tensor = self.encoder(input_ids=batch.token_ids, attention_mask=mask).last_hidden_state  # (N, T, F)
        return states

    def summary(self, batch: PaddedBatch) -> Tensor:
        """Return the classifier's input for a batch, the mean of each row's states: (N, F)."""
        return _mean(self.states(batch), batch.lengths)  # (N, F)

    def forward(self, batch: PaddedBatch) -> Tensor:
        """Return the logits (N, C) of a batch."""
        return self.classifier(self.summary(batch))  # (N, C)

    def read(
        self,
        texts: Sequence[PlacedTokens],
        max_pieces: int,
        project: Callable[[Tensor], Tensor],
        dtype: str = "float32",
    ) -> tuple[Tensor, list[Tensor]]:
        """Return each text's probabilities, (N, C), and what `project` makes of the states of its tokens (T, F).

        It reads the pieces that it was taught to read, at most so many of a text, and computes the encoder's products
        in `dtype`, all else in float32. A token's state is the mean of the pieces that hold a part of it; NaN where
        none is read.
        """
        pieces = self.tokenizer([text.form for text in texts], return_offsets_mapping=True)
        read = [head_and_tail(list(range(len(row))), max_pieces) for row in pieces["input_ids"]]
        logits = torch.empty(len(texts), len(self.labels))  # (N, C)
        states: list[Tensor] = [torch.empty(0)] * len(texts)
        with torch.inference_mode():
            for indices in length_buckets([len(row) for row in read], LABELLING_BATCH_TOKENS):
                batch = PaddedBatch.of(
                    [[pieces["input_ids"][index][piece] for piece in read[index]] for index in indices]
                )
                with autocast(dtype):
                    found = self.states(batch)  # (N, T, F)
                found = found.float()  # (N, T, F)
                logits[indices] = self.classifier(_mean(found, batch.lengths))  # (N, C)
                for row, index in enumerate(indices):
                    spans = [pieces["offset_mapping"][index][piece] for piece in read[index]]
                    states[index] = project(_mean_per_token(found[row], spans, texts[index].spans))  # (T, K)
        return torch.softmax(logits.double(), dim=-1), states  # (N, C)


def _mean(states: Tensor, lengths: Tensor) -> Tensor:
    """Return the mean over each row's states (N, T, F), padding left out: (N, F)."""
    return (states * real_steps(lengths, states.shape[1])).sum(dim=1) / lengths.unsqueeze(1)  # (N, F)


def _mean_per_token(states: Tensor, pieces: Sequence[Span], tokens: Sequence[Span]) -> Tensor:
    """Return the mean of the states (pieces, F) of those pieces whose span meets each token's: (T, F)."""
    ends = [end for _, end in tokens]
    meetings: list[tuple[int, int]] = []
    for piece, (start, end) in enumerate(pieces):  # a mark at either end has an empty span, and meets none
        token = bisect_right(ends, start)
        while token < len(tokens) and tokens[token][0] < end:
            meetings.append((piece, token))
            token += 1
    met, owners = torch.tensor(meetings, dtype=torch.long).reshape(-1, 2).unbind(dim=1)  # (meetings,) each
    total = states.new_zeros(len(tokens), states.shape[1]).index_add_(0, owners, states[met])  # (T, F)
    return total / torch.bincount(owners, minlength=len(tokens)).unsqueeze(1)  # (T, F): 0 / 0 is NaN


def is_teacher(folder: Path) -> bool:
    """Return whether `Teacher.save` wrote the folder, whole."""
    return (folder / LABELS).is_file() and (folder / CLASSIFIER).is_file()


def encoder_folder(source: str) -> Path:
    """Return the folder of an encoder, given as folder or installed package. Raises ConfigError if there is none."""
    if source and Path(source).is_dir():  # not the working folder
        folders = [Path(source)]
    else:
        spec = importlib.util.find_spec(source.replace("-", "_")) if source.replace("-", "_").isidentifier() else None
        folders = [Path(index) for index in (spec.submodule_search_locations or ())] if spec is not None else []
    for folder in folders:
        for config in sorted(folder.rglob("config.json")):
            if (config.parent / "model.safetensors").is_file():
                return config.parent
    raise ConfigError(
        f"--teacher: {source!r} is neither a folder nor an installed package that holds config.json and "
        "model.safetensors side by side"
    )


def _encoder(folder: Path) -> tuple[Any, Any]:
    try:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging
    except ImportError:
        raise ConfigError("a teacher needs transformers: pip install 'sentiment-bilstm[distil]'") from None
    logging.disable_progress_bar()
    # Eager: the backward pass of the fused attention takes a third of a training step on a CPU.
    options = {"local_files_only": True, "use_safetensors": True, "attn_implementation": "eager"}
    try:
        encoder = AutoModel.from_pretrained(folder, **options)
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise ConfigError(f"--teacher: {folder} can't be read: {str(error).splitlines()[0]}") from None
    return encoder, tokenizer
