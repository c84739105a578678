"""Train every encoder on the same rows with the same epochs, seed and vectors, and compare them."""

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sentiment.classifier import Classifier, load
from sentiment.config import ModelConfig
from sentiment.errors import ConfigError
from sentiment.training.recipe import Recipe

NETWORKS: dict[str, dict[str, Any]] = {
    "bow": {"encoder": "bow"},
    "cnn": {"encoder": "cnn"},
    "rnn": {"encoder": "rnn", "bidirectional": False},
    "lstm": {"bidirectional": False},
    "bilstm": {},
    "bilstm, 2 layers": {"num_layers": 2},
    "bilstm, ht and ct": {"pooling": "final_and_cell"},
    "bilstm, max": {"pooling": "max"},
    "bilstm, mean": {"pooling": "mean"},
    "bilstm, attention": {"pooling": "attention"},
}
BILSTM = {
    name: getattr(ModelConfig(), name)
    for name in ("encoder", "pooling", "initial_state", "num_layers", "dropout", "weight_drop", "bias", "bidirectional")
}
RESULTS = "comparison.json"
PICTURE = "comparison.png"
REPEATS = 3
TIMED_TEXTS = 2000


@dataclass(frozen=True)
class EncoderResult:
    """The result of one trained network."""

    network: str
    accuracy: float  # mean over the dev sets
    parameters: int
    training_seconds: float
    texts_per_second: float = 0.0  # in one process, read last, all networks in turn


def compare_encoders(
    recipe: Recipe,
    fingerprint: Mapping[str, str],
    out: Path,
    train_and_save: Callable[[Recipe, Path], None],
    texts: Sequence[str],
) -> list[EncoderResult]:
    """Return a row a network, in the textbook's order, also written to `out`; its folders hold the models.

    `train_and_save` trains a recipe into a folder. A network that has its row already is not trained again, so that a
    killed comparison resumes. Raises ConfigError for an `out` that holds a comparison with another `fingerprint`, and a
    recipe that starts from a model.
    """
    if recipe.training.starts_from_model:
        raise ConfigError(
            f"training.start is {recipe.training.start}, and all that are compared start from nothing: leave it out"
        )
    out.mkdir(parents=True, exist_ok=True)
    rows = _read(out / RESULTS, fingerprint)
    for network, settings in NETWORKS.items():
        if network in rows:
            continue
        model = ModelConfig.of(recipe.model.model_dump() | BILSTM | settings)
        folder = out / _folder(network)
        begun = time.monotonic()
        train_and_save(recipe.model_copy(update={"name": folder.name, "model": model}), folder)
        seconds = time.monotonic() - begun
        classifier = load(folder)
        accuracies = [figures["accuracy"] for figures in classifier.metrics["dev"].values()]
        rows[network] = EncoderResult(network, statistics.mean(accuracies), classifier.num_parameters, seconds)
        _write(out / RESULTS, recipe, fingerprint, rows)
    classifiers = {network: load(out / _folder(network)) for network in NETWORKS}
    speeds = _texts_per_second(classifiers, texts[:TIMED_TEXTS])
    compared = [EncoderResult(**{**asdict(rows[network]), "texts_per_second": speeds[network]}) for network in NETWORKS]
    _write(out / RESULTS, recipe, fingerprint, {row.network: row for row in compared})
    return compared


def draw(compared: Sequence[EncoderResult], path: Path) -> None:
    """Write a picture of accuracy against speed. Raises ConfigError if matplotlib is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("a picture needs one more package: pip install 'sentiment-bilstm[explain]'") from None
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for row in compared:
        axes.scatter(row.texts_per_second, 100 * row.accuracy, s=40)
        axes.annotate(row.network, (row.texts_per_second, 100 * row.accuracy), (5, 4), textcoords="offset points")
    axes.set_xscale("log")
    axes.margins(x=0.25)
    axes.set(xlabel="texts a second, one process", ylabel="accuracy on dev, %")
    axes.grid(alpha=0.3)
    figure.savefig(path, dpi=150)


def _folder(network: str) -> str:
    return network.replace(",", "").replace(" ", "-")


def _texts_per_second(classifiers: dict[str, Classifier], texts: Sequence[str]) -> dict[str, float]:
    """Return medians, timing the networks in turn, so that other work on the machine slows all alike."""
    speeds: dict[str, list[float]] = {network: [] for network in classifiers}
    for _ in range(REPEATS):
        for network, classifier in classifiers.items():
            begun = time.perf_counter()
            classifier.predict(texts)
            speeds[network].append(len(texts) / (time.perf_counter() - begun))
    return {network: statistics.median(each) for network, each in speeds.items()}


def _read(path: Path, fingerprint: Mapping[str, str]) -> dict[str, EncoderResult]:
    if not path.is_file():
        return {}
    found = json.loads(path.read_bytes())
    saved = found["identity"]
    changed = [name for name in sorted(saved.keys() | fingerprint.keys()) if saved.get(name) != fingerprint.get(name)]
    if changed:
        raise ConfigError(f"{path.parent} holds a comparison of other {', '.join(changed)}; choose another --out")
    return {row["network"]: EncoderResult(**row) for row in found["networks"]}


def _write(path: Path, recipe: Recipe, fingerprint: Mapping[str, str], rows: dict[str, EncoderResult]) -> None:
    scratch = path.with_name(f"{path.name}.partial")
    body = {
        "recipe": recipe.model_dump(mode="json"),
        "identity": dict(fingerprint),
        "networks": [asdict(row) for row in rows.values()],
    }
    scratch.write_text(json.dumps(body, indent=1))
    scratch.replace(path)
