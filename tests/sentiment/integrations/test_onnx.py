"""Exported models under ONNX Runtime: the same answers, alone and in company, and without torch."""

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnxruntime import InferenceSession
from typer.testing import CliRunner

import sentiment
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier, Prediction
from sentiment.cli import app
from sentiment.errors import BundleError, ConfigError, ExportError, TextError
from sentiment.integrations import onnx_export
from sentiment.integrations.onnx import OnnxClassifier, load
from sentiment.integrations.onnx_export import export
from sentiment.predictor import EncodedText

MakeBundle = Callable[..., Bundle]
ROOT = Path(sentiment.__file__).parents[1]
TEXTS = ("A great film.", "not good", "zyzzyva", "😀", "The film was very boring, and it was n't okay! " * 30, "bad")
WITHOUT_TORCH = """
import json, sys
sys.modules["torch"] = None  # `import torch` raises ImportError
from dataclasses import asdict
from sentiment.integrations import onnx
print(json.dumps([asdict(each) for each in onnx.load(sys.argv[1]).predict(sys.argv[2:])]))
"""


@pytest.fixture(scope="module")
def exported(tiny_classifier: Classifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("onnx") / "tiny.onnx"
    export(tiny_classifier, file)
    return file


def assert_same(some: list[Prediction], others: list[Prediction]) -> None:
    for one, other in zip(some, others, strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-5, rel=0)
        assert {**asdict(one), "probabilities": 0} == {**asdict(other), "probabilities": 0}


@pytest.mark.parametrize(
    "settings",
    [{}, {"num_layers": 3}, {"bidirectional": False}, {"bidirectional": False, "num_layers": 2}, {"bias": False}],
    ids=str,
)
def test_every_network_answers_as_before(make_bundle: MakeBundle, tmp_path: Path, settings: dict[str, Any]) -> None:
    classifier = Classifier(make_bundle(quantized=False, **settings))
    figures = export(classifier, tmp_path / "model.onnx")
    other = load(tmp_path / "model.onnx")
    assert figures.gap < 1e-5
    assert_same(other.predict(TEXTS), classifier.predict(TEXTS))
    assert_same([other.predict([text])[0] for text in TEXTS], classifier.predict(TEXTS))


def test_a_model_in_integers_answers_as_its_float32(tiny_classifier: Classifier, tmp_path: Path) -> None:
    assert tiny_classifier.model.integer_lstm is not None
    figures = export(tiny_classifier, tmp_path / "model.onnx")
    found = load(tmp_path / "model.onnx").predict(TEXTS)
    assert figures.float_gap < 1e-5 < figures.gap < 0.01
    assert_same(found, tiny_classifier.in_float32().predict(TEXTS))
    assert [each.label for each in found] == [each.label for each in tiny_classifier.predict(TEXTS)]


def test_a_temperature_is_part_of_the_graph(make_bundle: MakeBundle, tmp_path: Path) -> None:
    bundle = make_bundle(quantized=False)
    classifier = Classifier(replace(bundle, temperature=3.0))
    export(classifier, tmp_path / "model.onnx")
    assert_same(load(tmp_path / "model.onnx").predict(TEXTS), classifier.predict(TEXTS))
    assert load(tmp_path / "model.onnx").predict(TEXTS[:1]) != Classifier(bundle).predict(TEXTS[:1])


def test_it_is_the_same_model_by_name_and_reads_as_it_does(exported: Path, tiny_classifier: Classifier) -> None:
    other = load(exported)
    assert (other.name, other.version, other.labels) == ("tiny", tiny_classifier.version, tiny_classifier.labels)
    assert other.text_config == tiny_classifier.text_config
    assert other.encode(TEXTS) == tiny_classifier.encode(TEXTS)
    with pytest.raises(TextError, match="text 1: is empty or blank"):
        other.predict(["good", " "])


def test_the_graph_has_free_sizes_and_the_lstm_the_lengths(exported: Path) -> None:
    graph = onnx.load(exported).graph
    shapes = {
        each.name: [dim.dim_param or dim.dim_value for dim in each.type.tensor_type.shape.dim]
        for each in (*graph.input, *graph.output)
    }
    assert shapes == {"token_ids": ["N", "T"], "lengths": ["N"], "probabilities": ["N", 3]}
    [lstm] = [node for node in graph.node if node.op_type == "LSTM"]
    assert lstm.input[4] == "lengths"  # the operator's sequence_lens


def test_what_stands_past_the_lengths_is_never_read(exported: Path) -> None:
    session = InferenceSession(exported)
    lengths = np.array([2, 4], dtype=np.int32)
    padded = np.array([[5, 6, 0, 0], [7, 8, 9, 10]])
    other = np.array([[5, 6, 11, 12], [7, 8, 9, 10]])
    [clean], [dirty] = (session.run(None, {"token_ids": ids, "lengths": lengths}) for ids in (padded, other))
    assert clean.tolist() == dirty.tolist()
    assert clean.sum(axis=1) == pytest.approx([1, 1])


def test_it_answers_where_there_is_no_torch(exported: Path, tiny_classifier: Classifier) -> None:
    command = [sys.executable, "-c", WITHOUT_TORCH, str(exported), *TEXTS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = tiny_classifier.in_float32().predict(TEXTS)
    assert_same([Prediction(**each) for each in json.loads(done.stdout)], expected)


def test_it_travels_in_a_pickle(exported: Path) -> None:
    classifier = load(exported)
    other = pickle.loads(pickle.dumps(classifier))  # noqa: S301  # our own bytes
    assert other.predict(TEXTS) == classifier.predict(TEXTS)


def test_an_export_that_misses_the_model_is_refused(
    tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of_torch(lstm: Any, layer: int) -> Any:
        w, r, b = weights(lstm, layer)
        return w.roll(1, dims=1), r, b

    weights = onnx_export._lstm_weights
    monkeypatch.setattr(onnx_export, "_lstm_weights", of_torch)
    with pytest.raises(ExportError, match=r"^the graph answers 0\.\d+ away from the model; the limit is 1e-05$"):
        export(tiny_classifier, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()


def test_rows_compared_are_ragged_and_of_the_vocabulary() -> None:
    rows = list(onnx_export._rows(50))
    assert all(isinstance(row, EncodedText) for row in rows)
    assert {len(row.token_ids) for row in rows} == set(onnx_export.CHECKED_LENGTHS)
    assert {token_id for row in rows for token_id in row.token_ids} == set(range(1, 50))


def test_int8_is_near_and_its_figures_say_how_near(make_bundle: MakeBundle, tmp_path: Path) -> None:
    classifier = Classifier(make_bundle(hidden_size=64, scale=1.0))
    exact = export(classifier, tmp_path / "float32.onnx")
    figures = export(classifier, tmp_path / "int8.onnx", int8=True)
    assert figures.bytes < exact.bytes / 1.8
    assert exact.gap < figures.gap < 0.05
    near = load(tmp_path / "int8.onnx").predict(TEXTS)
    for one, other in zip(near, classifier.predict(TEXTS), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "dtype", "file", "message"),
    [
        ({}, "bfloat16", "model.onnx", "an export is made of float32: the classifier's dtype is 'bfloat16'"),
        ({}, "float32", "none/model.onnx", "model.onnx: can't be written: No such file or directory"),
        (
            {"pooling": "mean"},
            "float32",
            "model.onnx",
            "this model's encoder is lstm, pooling mean, initial_state zero",
        ),
    ],
)
def test_what_is_not_exported_is_said(
    make_bundle: MakeBundle, tmp_path: Path, settings: dict[str, Any], dtype: str, file: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        export(Classifier(make_bundle(**settings), dtype=dtype), tmp_path / file)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    with pytest.raises(BundleError, match="model.onnx: can't be read: No such file or directory"):
        load(file)
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(BundleError, match="model.onnx: is no ONNX model that ONNX Runtime takes"):
        load(file)


def rename_an_input(model: onnx.ModelProto) -> None:
    model.graph.input[1].name = "sizes"
    for node in model.graph.node:
        node.input[:] = ["sizes" if name == "lengths" else name for name in node.input]


def set_metadata(model: onnx.ModelProto, **changed: str) -> None:
    helper.set_model_props(model, {each.key: each.value for each in model.metadata_props} | changed)


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda model: helper.set_model_props(model, {"name": "tiny"}), "it lacks the metadata version, labels, vocab"),
        (partial(set_metadata, vocabulary='["<unk>", "<pad>"]'), "a vocabulary begins <pad>, <unk>"),
        (partial(set_metadata, text='{"language": "xx9"}'), "language: spaCy's code of a language is needed"),
        (partial(set_metadata, labels="["), "Expecting value"),
        (rename_an_input, "its inputs and outputs are .*sizes"),
    ],
    ids=["few metadata", "vocabulary", "text", "labels", "graph"],
)
def test_an_altered_model_is_refused(
    exported: Path, tmp_path: Path, alter: Callable[[onnx.ModelProto], None], message: str
) -> None:
    model = onnx.load(exported)
    alter(model)
    onnx.save(model, tmp_path / "model.onnx")
    with pytest.raises(BundleError, match=message):
        load(tmp_path / "model.onnx")


def test_a_missing_package_is_named(
    tiny_classifier: Classifier, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"pip install 'sentiment-bilstm\[onnx\]'"):
        export(tiny_classifier, exported)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigError, match=r"pip install 'sentiment-bilstm\[onnx\]'"):
        load(exported)


def test_the_command(tiny_bundle: Path, tiny_classifier: Classifier, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    done = CliRunner().invoke(app, ["export", "--model", str(tiny_bundle), "--onnx", str(file)])
    assert done.exit_code == 0, done.output
    assert f"written: {file}, {file.stat().st_size:,} bytes" in done.output
    assert isinstance(load(file), OnnxClassifier)
    assert_same(load(file).predict(TEXTS), tiny_classifier.in_float32().predict(TEXTS))


def test_the_command_replaces_no_file(tiny_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_text("text,label\n")
    done = CliRunner().invoke(app, ["export", "--model", str(tiny_bundle), "--onnx", str(tmp_path / "reviews.csv")])
    assert isinstance(done.exception, ConfigError)
    assert (tmp_path / "reviews.csv").read_text() == "text,label\n"
