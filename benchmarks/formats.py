"""The work whose number format is chosen or offered, in each format: `python -m benchmarks.formats`.

Each format is chosen as a user's call chooses it, several times over: the figures are medians of what it measures, and
the last column counts the choices. `predict` is only offered in bfloat16: there, the column counts the quicker format.
Without `--encoder` the teacher has random weights and the sizes of all-MiniLM-L6-v2.
"""

import argparse
import copy
import json
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.workloads import bundle_to_measure, generated_texts
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.config import TrainingConfig
from sentiment.default import DEFAULT_MODEL
from sentiment.nn.precision import DTYPES, DtypeChoice, bfloat16_units, choose_dtype
from sentiment.text.vocabulary import UNK_ID
from sentiment.training.distillation.distil import MEASURED_TEXTS, TEACHING, labelling_dtype
from sentiment.training.distillation.teacher import Teacher
from sentiment.training.number_format import training_dtype
from sentiment.training.optimization import MIN_STEPS

ENCODER_SIZES = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
STUDENT_TOKENS = MIN_STEPS * TrainingConfig().max_batch_tokens  # of a table whose batches are full


@dataclass(frozen=True)
class Work:
    """One piece of work, and the choice of its number format by runs of it."""

    name: str
    choose: Callable[[], DtypeChoice]
    texts: int = 0  # that a run answers; a training step's figure is its seconds

    def row(self, repeats: int) -> dict[str, str | float]:
        """Return the table's row: a figure for each format, and how often each is chosen."""
        choices = [self.choose() for _ in range(repeats)]
        medians = {dtype: statistics.median(choice.seconds[dtype] for choice in choices) for dtype in DTYPES}
        figures = {dtype: self.texts / spent if self.texts else spent for dtype, spent in medians.items()}
        counted = Counter(choice.dtype for choice in choices).most_common()
        chosen = ", ".join(f"{dtype} {times}x" for dtype, times in counted)
        return {"work": self.name, "unit": "texts/s" if self.texts else "seconds", **figures, "chosen": chosen}


def works(bundle: Bundle, teacher: Teacher) -> list[Work]:
    """Return prediction, a student's training step, a teacher's labelling and its training step."""
    texts = generated_texts(bundle.vocabulary)
    sentences, mixed = texts["sentences"], texts["sentences"] + texts["reviews"]
    classifiers = {dtype: Classifier(bundle, dtype=dtype).warm() for dtype in DTYPES}
    student = copy.deepcopy(bundle.model).requires_grad_(True)
    learned = [row.token_ids or [UNK_ID] for row in classifiers["float32"].encode(mixed)]
    learned *= -(-STUDENT_TOKENS // sum(map(len, learned)))
    taught = teacher.encode(mixed)
    placed = classifiers["float32"].tokenizer.place(sentences[:MEASURED_TEXTS])
    uniform = torch.full((1, len(bundle.labels)), 1 / len(bundle.labels))  # (1, C): what is learned costs the same
    learned_targets, taught_targets = (uniform.expand(len(rows), -1) for rows in (learned, taught))  # (rows, C)
    return [
        Work("predict", lambda: choose_dtype(lambda dtype: classifiers[dtype].predict(sentences)), len(sentences)),
        Work("training step", partial(training_dtype, student, learned, learned_targets, TrainingConfig())),
        Work("teacher, labelling", partial(labelling_dtype, teacher, placed), len(placed)),
        Work("teacher, training step", partial(training_dtype, teacher, taught, taught_targets, TEACHING)),
    ]


def save_encoder(words: Sequence[str], folder: Path) -> Path:
    """Write a BERT of random weights with `words` as its word pieces, and return its folder."""
    from transformers import BertConfig, BertModel, BertTokenizerFast, logging

    logging.disable_progress_bar()
    pieces = list(dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *filter(str.strip, words)]))
    torch.manual_seed(0)
    BertModel(BertConfig(vocab_size=len(pieces), **ENCODER_SIZES)).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(pieces), encoding="utf-8")
    BertTokenizerFast.from_pretrained(folder).save_pretrained(folder)
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.formats", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--repeats", type=int, default=5, help="choices of each format")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="of torch")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder; random weights without one")
    parser.add_argument("--encoder", metavar="FOLDER", help="the teacher's, with config.json and model.safetensors")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    bundle = bundle_to_measure(options.model)
    with tempfile.TemporaryDirectory() as folder:
        encoder = options.encoder or save_encoder(bundle.vocabulary.tokens, Path(folder))
        teacher = Teacher.start(str(encoder), bundle.labels)
    setting = {"model": bundle.name, "encoder": options.encoder or "random weights", "threads": options.threads}
    setting |= {"bfloat16_units": bfloat16_units(), "torch": torch.__version__, "repeats": options.repeats}
    rows = [work.row(options.repeats) for work in works(bundle, teacher)]
    if options.json:
        print(json.dumps({"setting": setting, "formats": rows}, indent=1))
        return
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(each if isinstance(each, str) else f"{each:,.{3 * (each < 100)}f}" for each in row.values()))
    Console(highlight=False).print(
        ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items()), table, sep="\n"
    )


if __name__ == "__main__":
    main()
