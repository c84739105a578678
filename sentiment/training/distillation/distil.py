"""Train a teacher on labelled texts and let it label others, for a small model to learn from.

The student is trained as any other: `soft_labels` of a recipe reads what is written here. Tang et al. (2019) distilled
BERT into a bidirectional LSTM in this way; most of the gain comes from the texts that only the teacher labelled.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from sentiment.config import TextConfig, TrainingConfig
from sentiment.errors import DataError
from sentiment.nn.precision import DtypeChoice, choose_dtype
from sentiment.text.tokenizer import PlacedTokens, Tokenizer
from sentiment.training.data.dataset import LabelledTexts
from sentiment.training.data.reading import STATES, read_texts
from sentiment.training.data.splits import Data
from sentiment.training.distillation.teacher import Teacher, is_teacher
from sentiment.training.distillation.token_states import STATE_SIZE, STATES_MAX_TOKENS, Projection, to_bytes
from sentiment.training.loop import EncodedSet, Report, compute_logits, fit
from sentiment.training.number_format import training_dtype
from sentiment.training.objectives.classification import mean_macro_recall, target_probabilities
from sentiment.training.optimization import truncate_rows
from sentiment.training.recipe import Source
from sentiment.training.resume.checkpoint import Checkpoint, check_fingerprint

# Of fine-tuning an encoder. A thousandth of the rate that a new LSTM takes; its vectors start where they should be.
TEACHING = TrainingConfig(
    epochs=1,
    learning_rate=1.2e-4,
    warmup_share=0.06,
    weight_decay=0.01,
    max_batch_tokens=2400,
    max_batch_rows=150,
    max_tokens=128,
    word_dropout=0.0,
    ema_decay=0.995,
)
TEXTS_AT_ONCE = 4096
PROJECTED_WORDS = 20_000  # whose states say which directions of them are kept
MEASURED_TEXTS = 32  # that the number format of the labelling is chosen by
LABELLING = "labelling.safetensors"  # one for all that a teacher labels: a student learns its states by one head


def train_teacher(
    teacher: Teacher,
    train: Sequence[LabelledTexts],
    dev: Sequence[LabelledTexts],
    config: TrainingConfig,
    report: Report,
    checkpoint: Checkpoint | None = None,
) -> tuple[Teacher, float]:
    """Train the teacher, resuming from `checkpoint`. Return its best by macro-recall over `dev`, and that score.

    Raises TrainingDivergedError as soon as a number isn't finite.
    """
    labels = teacher.labels
    token_ids = [row for part in train for row in teacher.encode(part.texts)]
    targets = torch.cat([target_probabilities(part, labels) for part in train])  # (rows, C)
    judged = [
        EncodedSet(
            part.name,
            truncate_rows(teacher.encode(part.texts), config),
            torch.tensor([labels.index(label) for label in part.labels]),
        )
        for part in dev
    ]
    saved = checkpoint.saved if checkpoint is not None else None
    choice = training_dtype(teacher, token_ids, targets, config, saved)
    config = config.model_copy(update={"dtype": choice.dtype})

    def score(model: Teacher) -> float:
        return mean_macro_recall([compute_logits(model, part.token_ids) for part in judged], judged, labels)

    return fit(teacher, token_ids, targets, score, config, report, checkpoint)


def label_texts(
    teacher: Teacher,
    source: Source,
    out: Path,
    text: TextConfig,
    labelling: Path,
    dtype: str = "auto",
    *,
    skip_bad_rows: bool = False,
) -> int:
    """Write the source's texts with the teacher's probability of each label, a column a label, and return how many.

    A column beside them holds the teacher's state of each token that `text` gives (see states.py), of texts short
    enough, along the directions of the file `labelling`. That file is made by the first texts ever labelled with it; it
    also keeps the number format of the encoder's products, which with `dtype` "auto" is the quicker one by measurement.
    What is labelled is kept in parts beside `out` until all is: killed, the same call resumes.
    """
    texts, tokenizer = read_texts(source, skip_bad_rows=skip_bad_rows), Tokenizer(text)
    parts = out.with_name(f".{out.name}.parts")
    parts.mkdir(parents=True, exist_ok=True)
    project, dtype = _labelling(teacher, tokenizer, texts, labelling, dtype)
    found = []
    for start in range(0, len(texts), TEXTS_AT_ONCE):
        part = parts / f"{start:09}.parquet"
        wanted = texts[start : start + TEXTS_AT_ONCE]
        if not part.is_file() or pl.read_parquet(part)["text"].to_list() != wanted:
            placed = tokenizer.place(wanted)
            probabilities, states = teacher.read(placed, TEACHING.max_tokens, project, dtype)  # (N, C), (T, K) each
            columns = dict(zip(teacher.labels, probabilities.T.tolist(), strict=True))
            kept = [to_bytes(each) if 0 < len(each) <= STATES_MAX_TOKENS else None for each in states]
            _write(pl.DataFrame({"text": wanted, **columns, STATES: pl.Series(kept, dtype=pl.Binary)}), part)
        found.append(pl.read_parquet(part))
    _write(pl.concat(found) if found else pl.DataFrame({"text": [], **{label: [] for label in teacher.labels}}), out)
    shutil.rmtree(parts)
    return len(texts)


def _labelling(
    teacher: Teacher, tokenizer: Tokenizer, texts: Sequence[str], file: Path, dtype: str
) -> tuple[Projection, str]:
    """Return the file's projection and number format; where there is no file yet, make it by the first texts."""
    if not file.is_file():
        placed: list[PlacedTokens] = []
        words = 0
        for read in tokenizer.place(texts[:TEXTS_AT_ONCE]):
            if words < PROJECTED_WORDS:
                placed.append(read)
                words += len(read.tokens)
        if dtype == "auto":
            dtype = labelling_dtype(teacher, placed).dtype if placed else "float32"
        states = (  # (T, F) each
            teacher.read(placed, TEACHING.max_tokens, lambda states: states, dtype)[1] if placed else []
        )
        found = Projection.of(
            torch.cat(states) if states else torch.zeros(0, teacher.classifier.in_features), STATE_SIZE
        )
        scratch = file.with_name(f"{file.name}.partial")
        directions = found.directions.contiguous()
        save_file({"mean": found.mean, "directions": directions}, scratch, metadata={"dtype": dtype})
        scratch.replace(file)  # whole or not there
    with safe_open(file, "pt") as content:
        return Projection(content.get_tensor("mean"), content.get_tensor("directions")), content.metadata()["dtype"]


def labelling_dtype(teacher: Teacher, placed: Sequence[PlacedTokens]) -> DtypeChoice:
    """Return the number format in which the teacher labels texts like these sooner."""
    few = placed[:MEASURED_TEXTS]
    return choose_dtype(lambda dtype: teacher.read(few, TEACHING.max_tokens, lambda states: states, dtype))


def _write(table: pl.DataFrame, path: Path) -> None:
    scratch = path.with_name(f"{path.name}.partial")
    table.write_parquet(scratch)
    scratch.replace(path)  # whole or not there


def soft_sources(
    source: str,
    data: Data,
    unlabelled: Sequence[Source],
    folder: Path,
    fingerprint: Mapping[str, str],
    report: Report,
    text: TextConfig,
    *,
    dtype: str = "auto",
    skip_bad_rows: bool = False,
    restart: bool,
) -> list[Source]:
    """Return the unlabelled texts as a teacher labels them, for a student's recipe to read beside its own rows.

    `source` is an encoder to be taught the data, or the folder of a teacher that knows the data's labels. It is taught
    and labels in `dtype`. What is done is kept in `folder`: killed, the same call resumes. Raises CheckpointError for a
    `folder` of another fingerprint, ConfigError for a `source` that holds no encoder, DataError for a teacher of other
    labels.
    """
    if restart:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / "identity.json"
    if note.is_file():
        check_fingerprint(folder, json.loads(note.read_bytes()), fingerprint)
    else:
        scratch = note.with_name(f"{note.name}.partial")
        scratch.write_text(json.dumps(dict(fingerprint)))
        scratch.replace(note)  # whole or not there: a kill in between must not leave half of it
    taught = Path(source) if is_teacher(Path(source)) else folder / "teacher"
    if not is_teacher(taught):
        with Checkpoint(folder / "checkpoint", fingerprint) as checkpoint:
            config = TEACHING.model_copy(update={"dtype": dtype})
            teacher, _ = train_teacher(
                Teacher.start(source, data.labels), data.train, data.dev, config, report, checkpoint
            )
            teacher.save(taught)
            checkpoint.remove()
    teacher = Teacher.load(taught)
    if teacher.labels != data.labels:
        raise DataError(f"{taught}: the teacher knows {', '.join(teacher.labels)}, not {', '.join(data.labels)}")
    labelled = []
    for number, texts in enumerate(unlabelled, start=1):
        out = folder / f"labelled-{number}.parquet"
        if not out.is_file():
            label_texts(teacher, texts, out, text, folder / LABELLING, dtype, skip_bad_rows=skip_bad_rows)
        labelled.append(Source(path=str(out), soft_labels=True))
    return labelled
