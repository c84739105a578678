"""An exported model beside the original: `python -m benchmarks.onnx --data FILE`. One run, on this machine."""

import argparse
import json
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import onnxruntime
import torch

from benchmarks.timing import interleaved_medians
from sentiment.classifier import Prediction, load
from sentiment.default import DEFAULT_MODEL
from sentiment.integrations import onnx
from sentiment.integrations.onnx_export import export
from sentiment.predictor import LabelPredictor
from sentiment.training.data.reading import read_labelled
from sentiment.training.recipe import Source

ONE_BY_ONE = 300


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured, as JSON."""
    options = _parser().parse_args(arguments)
    classifier = load(options.model).warm()
    labelled = read_labelled(Source(path=options.data))
    texts, labels = labelled.texts[: options.texts], labelled.labels[: options.texts]
    with tempfile.TemporaryDirectory() as folder:
        exports = {name: Path(folder) / f"{name}.onnx" for name in ("float32", "int8")}
        checked = {name: export(classifier, file, int8=name == "int8") for name, file in exports.items()}
        ways: dict[str, LabelPredictor] = {"torch": classifier}
        ways |= {f"ONNX Runtime, {name}": onnx.load(file).warm() for name, file in exports.items()}
    figures = {
        "setting": {
            "model": f"{classifier.name} {classifier.version}",
            "texts": len(texts),
            "threads": f"{torch.get_num_threads()} of torch, ONNX Runtime's own choice",
            "torch": torch.__version__,
            "onnxruntime": onnxruntime.__version__,
            "repeats": options.repeats,
        },
        "bytes": {name: each.bytes for name, each in checked.items()},
        "gap on the rows checked at export": {name: each.float_gap for name, each in checked.items()},
        "answers": {name: answers(way, classifier.predict(texts), texts, labels) for name, way in ways.items()},
        "milliseconds a text, one at a time": {
            name: 1000 * seconds / len(texts[:ONE_BY_ONE])
            for name, seconds in interleaved_medians(
                {name: partial(_one_by_one, way, texts[:ONE_BY_ONE]) for name, way in ways.items()}, options.repeats
            ).items()
        },
        "texts a second, all at once": {
            name: len(texts) / seconds
            for name, seconds in interleaved_medians(
                {name: partial(way.predict, texts) for name, way in ways.items()}, options.repeats
            ).items()
        },
    }
    print(json.dumps(figures, indent=1))


def answers(
    way: LabelPredictor, originals: Sequence[Prediction], texts: Sequence[str], labels: Sequence[str]
) -> dict[str, float]:
    """Compare accuracy, distance from the original, and distance of a text alone from itself in a batch."""
    together, alone = way.predict(texts), _one_by_one(way, texts)
    return {
        "accuracy": sum(each.label == label for each, label in zip(together, labels, strict=True)) / len(texts),
        "other labels": sum(one.label != other.label for one, other in zip(together, originals, strict=True)),
        "gap": _gap(together, originals),
        "gap between alone and together": _gap(together, alone),
    }


def _one_by_one(way: LabelPredictor, texts: Sequence[str]) -> list[Prediction]:
    return [way.predict([text])[0] for text in texts]


def _gap(some: Sequence[Prediction], others: Sequence[Prediction]) -> float:
    return max(
        abs(one.probabilities[label] - other.probabilities[label])
        for one, other in zip(some, others, strict=True)
        for label in one.probabilities
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.onnx", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="labelled texts: columns text, label")
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL, help="a model folder")
    parser.add_argument("--repeats", type=int, default=5, help="counted rounds of each measurement")
    parser.add_argument("--texts", type=int, help="at most so many")
    return parser


if __name__ == "__main__":
    main()
