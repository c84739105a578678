import csv
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sentiment.classifier import Classifier, Prediction
from sentiment.errors import DataError
from sentiment.scoring import Progress, ScoringSettings, score
from sentiment.scoring.formats.compression import compressed
from sentiment.scoring.formats.text import readers as text_readers
from sentiment.scoring.formats.text.writers import JsonWriter
from sentiment.storage.atomic import PartialFile
from sentiment.storage.formats import COMPRESSIONS, DELIMITERS, Format

TEXTS = ["A good film.", 'Not "good",\nat all', "It is very, very boring :)", "zyzzyva 不错", "bad\tbad"]
ADDED = (
    "label", "probability_negative", "probability_neutral", "probability_positive", "tokens", "unknown_tokens",
    "truncated", "model_version",
)  # fmt: skip
INPUT_SUFFIXES = (".csv", ".tsv.zst", ".jsonl", ".jsonl.gz", ".parquet", ".arrow", ".txt")
OUTPUT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".csv.gz", ".jsonl.zst", ".parquet", ".arrow")


def write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    kind, file = Format(path.suffixes[0], COMPRESSIONS.get(path.suffix)), io.StringIO(newline="")
    if kind.is_table:
        table = pa.Table.from_pylist(list(rows))
        if kind.suffix == ".parquet":
            pq.write_table(table, path, row_group_size=500)
        else:
            feather.write_feather(table, path)
        return
    if kind.suffix in DELIMITERS:
        writer = csv.writer(file, delimiter=DELIMITERS[kind.suffix])
        writer.writerows([rows[0].keys(), *(row.values() for row in rows)])
    else:
        file.writelines((row["text"] if kind.suffix == ".txt" else json.dumps(row)) + "\n" for row in rows)
    with path.open("wb") as opened, compressed(opened, kind.compression) as content:
        content.write(file.getvalue().encode())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows as in the file: all text from CSV and TSV."""
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".arrow":
        return feather.read_table(path).to_pylist()
    with pa.input_stream(path) as stream:  # unpacks by the suffix
        content = stream.read().decode()
    kind = path.name.removesuffix(".gz").removesuffix(".zst").rpartition(".")[2]
    if f".{kind}" in DELIMITERS:
        return list(csv.DictReader(io.StringIO(content, newline=""), delimiter=DELIMITERS[f".{kind}"], strict=True))
    return [json.loads(line) for line in content.splitlines()]


def assert_answers(row: dict[str, Any], prediction: Prediction) -> None:
    assert row["label"] == prediction.label
    for label, probability in prediction.probabilities.items():
        assert float(row[f"probability_{label}"]) == probability
    assert int(row["tokens"]) == prediction.tokens
    assert int(row["unknown_tokens"]) == prediction.unknown_tokens
    assert str(row["truncated"]).lower() == str(prediction.truncated).lower()


@pytest.mark.parametrize("output_suffix", OUTPUT_SUFFIXES)
@pytest.mark.parametrize("input_suffix", INPUT_SUFFIXES)
def test_every_format_to_every_format_answers_as_the_library_does(
    tiny_classifier: Classifier, tmp_path: Path, input_suffix: str, output_suffix: str
) -> None:
    lines_only = input_suffix == ".txt"
    texts = [text.replace("\n", " ") for text in TEXTS] if lines_only else TEXTS
    rows = [{"id": f"00{n}", "text": text, "stars": n} for n, text in enumerate(texts)]
    source, target = tmp_path / f"in{input_suffix}", tmp_path / f"out{output_suffix}"
    write_rows(source, rows)

    summary = score(tiny_classifier, source, target)

    written = read_rows(target)
    own = ("text",) if lines_only else ("id", "text", "stars")
    stars_are_text = {input_suffix[:4], output_suffix[:4]} & {".csv", ".tsv"}
    for row, answered, prediction in zip(rows, written, tiny_classifier.predict(texts), strict=True):
        assert list(answered) == [*own, *ADDED]
        expected = {**row, "stars": str(row["stars"]) if stars_are_text else row["stars"]}
        assert {name: answered[name] for name in own} == {name: expected[name] for name in own}
        assert_answers(answered, prediction)
        assert answered["model_version"] == tiny_classifier.version
    assert (summary.rows, summary.scored, summary.rejected) == (5, 5, 0)
    assert summary.rejects_path is None
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([source.name, target.name])


def test_the_summary_counts_everything(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    texts = ["good", "", "zyzzyva bad", None, "not good at all " * 2000]
    write_rows(source, [{"text": text} for text in texts])
    summary = score(tiny_classifier, source, target)
    predictions = tiny_classifier.predict([text for text in texts if text])
    labels = [prediction.label for prediction in predictions]
    assert {**asdict(summary), "seconds": 0} == {
        "rows": 5,
        "scored": 3,
        "rejected": 2,
        "resumed": 0,
        "labels": {label: labels.count(label) for label in tiny_classifier.labels},
        "tokens": sum(prediction.tokens for prediction in predictions),
        "unknown_tokens": sum(prediction.unknown_tokens for prediction in predictions),
        "truncated": 1,
        "confidences": [
            sum(index == int(20 * max(prediction.probabilities.values())) for prediction in predictions)
            for index in range(20)
        ],
        "lengths": [1, 1, *[0] * 10, 1, *[0] * 11],  # 1, 2 and 4,096 tokens
        "drift": None,  # the model knows none of its dev data
        "seconds": 0,
        "output_path": target,
        "rejects_path": tmp_path / "out.jsonl.rejects.jsonl",
    }
    assert summary.seconds > 0


def test_progress_covers_the_file(tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_readers, "BATCH_ROWS", 2)
    (tmp_path / "in.txt").write_text("good\nbad\n\nbad\nfilm\n")
    seen: list[Progress] = []
    score(tiny_classifier, tmp_path / "in.txt", tmp_path / "out.csv", on_progress=seen.append)
    assert [progress.rows for progress in seen] == [0, 2, 4, 5]
    assert [progress.rejected for progress in seen] == [0, 0, 1, 1]
    assert [progress.tokens for progress in seen] == [0, 2, 3, 4]
    assert [progress.fraction for progress in seen] == sorted(progress.fraction for progress in seen)
    assert seen[-1].fraction == 1.0


def test_rejects_hold_what_is_not_scored_in_order(
    tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_readers, "BATCH_ROWS", 3)
    lines = ['{"text": "good", "n": 1}', '{"text": " "}', '{"text": 5}', '{"text": "bad", "n": "x"}', "{", "[]"]
    lines += ['{"text": "film"}']
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    summary = score(tiny_classifier, tmp_path / "in.jsonl", tmp_path / "out.parquet")
    assert summary.rejects_path is not None
    offsets = [len("\n".join([*lines[:number], ""])) for number in range(len(lines))]
    reasons = {
        1: "is empty or blank",
        2: "holds int, not text",
        3: "'n' is 'x' where the first rows have int64: write .jsonl to keep it",
        4: "is not JSON: Expecting property name enclosed in double quotes at character 1",
        5: "is not a JSON object",
    }
    assert read_rows(summary.rejects_path) == [
        {"row": n + 1, "offset": offsets[n], "reason": reason, "raw": lines[n]} for n, reason in reasons.items()
    ]
    assert [row["text"] for row in read_rows(tmp_path / "out.parquet")] == ["good", "film"]
    assert (summary.rows, summary.scored, summary.rejected, sum(summary.labels.values())) == (7, 2, 5, 2)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(st.tuples(st.one_of(st.none(), st.text(), st.integers()), st.text()), max_size=20))
def test_any_rows_come_back_once_each(
    tiny_classifier: Classifier, tmp_path: Path, rows: list[tuple[str | int | None, str]]
) -> None:
    source = tmp_path / "in.jsonl"
    source.write_text("".join(json.dumps({"id": n, "text": t, "x": x}) + "\n" for n, (t, x) in enumerate(rows)))
    for suffix in (".csv", ".jsonl", ".parquet"):
        target = tmp_path / f"out{suffix}"
        summary = score(tiny_classifier, source, target, ScoringSettings(escape_formulas=False))
        written = read_rows(target)
        rejected = read_rows(summary.rejects_path) if summary.rejects_path else []
        assert sorted([int(row["id"]) for row in written] + [record["row"] - 1 for record in rejected]) == list(
            range(len(rows))
        )
        assert [int(row["id"]) for row in written] == sorted(int(row["id"]) for row in written)
        for row in written:
            assert (row["text"], row["x"]) == rows[int(row["id"])]


def test_an_earlier_jobs_rejects_do_not_outlive_it(tiny_classifier: Classifier, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.csv"
    source.write_text("good\n\n")
    rejects = score(tiny_classifier, source, target).rejects_path
    assert rejects is not None
    assert rejects.exists()
    source.write_text("good\n")
    assert score(tiny_classifier, source, target).rejects_path is None
    assert not rejects.exists()


@pytest.mark.parametrize("suffix", OUTPUT_SUFFIXES)
def test_an_empty_input_gives_an_empty_output(tiny_classifier: Classifier, tmp_path: Path, suffix: str) -> None:
    (tmp_path / "in.csv").write_text("id,text\n")
    summary = score(tiny_classifier, tmp_path / "in.csv", tmp_path / f"out{suffix}")
    assert (summary.rows, summary.scored, summary.rejected) == (0, 0, 0)
    assert read_rows(tmp_path / f"out{suffix}") == []


@pytest.mark.parametrize("suffix", OUTPUT_SUFFIXES)
def test_a_failure_midway_leaves_the_output_as_it_was(
    tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr(text_readers, "BATCH_ROWS", 2)
    (tmp_path / "in.txt").write_text("good\n" * 9)
    target = tmp_path / f"out{suffix}"
    target.write_text("before")

    def fail(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(tiny_classifier, tmp_path / "in.txt", target, on_progress=fail)
    assert target.read_text() == "before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.txt", target.name]


def test_a_full_disk_is_an_error_in_words(
    tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(partial: PartialFile) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PartialFile, "publish", fail)
    (tmp_path / "in.txt").write_text("good\n")
    target = tmp_path / "out.csv"
    with pytest.raises(DataError) as caught:
        score(tiny_classifier, tmp_path / "in.txt", target)
    goes_on = "make room, and the same command resumes"
    assert str(caught.value) == f"{target}: No space left on device; no row is lost: {goes_on}"
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_an_output_that_lost_a_row_is_not_published(
    tiny_classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(JsonWriter, "write", lambda self, row_batch, answers: {})
    (tmp_path / "in.txt").write_text("good\n\nbad\n")
    target = tmp_path / "out.jsonl"
    with pytest.raises(DataError) as caught:
        score(tiny_classifier, tmp_path / "in.txt", target)
    lost = "3 rows read, 0 scored, 1 rejected: some were lost, so no output was written"
    assert str(caught.value) == f"{target}: {lost}"
    assert not target.exists()


MEASURE = """
import sys
from pathlib import Path
import sentiment
from sentiment.scoring import score
from sentiment.scoring.formats.arrow import files as table_files
from sentiment.scoring.formats.arrow import writer as table_writer
from sentiment.scoring.formats.text import readers as text_readers
for module in (text_readers, table_files):
    module.BATCH_ROWS = 256
table_writer.ROW_GROUP_BYTES = 1 << 20
classifier = sentiment.load(sys.argv[1])
for source in sys.argv[2:]:
    score(classifier, source, Path(source).with_stem("out"))
    # Not getrusage, whose peak is the parent's where that was larger.
    print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory where Linux writes it")
@pytest.mark.parametrize("suffix", [pytest.param(".csv", marks=pytest.mark.slow), ".jsonl", ".parquet"])
def test_memory_does_not_grow_with_the_rows(
    run_python: Callable[..., Any], tiny_bundle: Path, tmp_path: Path, suffix: str
) -> None:
    sources = [tmp_path / f"few{suffix}", tmp_path / f"many{suffix}"]
    for source, rows in zip(sources, (1_000, 10_000), strict=True):
        write_rows(source, [{"text": f"good film {n}", "filler": f"{n} " * 2_000} for n in range(rows)])
    measured = run_python("-c", MEASURE, tiny_bundle, *sources)
    assert measured.returncode == 0, measured.stderr
    peaks_kib = measured.stdout.split()
    # The other 9,000 rows take 190 to 450 MiB where they are held in memory; allocators warm up by 5 to 60.
    assert int(peaks_kib[1]) - int(peaks_kib[0]) < 100 * 1024, peaks_kib


def test_sentences_are_a_list_in_a_table_and_json_elsewhere(tiny_classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"text": "A good film. It is very bad!"}\n{"text": ""}\n{"text": "good"}\n')
    settings = ScoringSettings(sentences=True)
    for suffix in (".csv", ".jsonl", ".parquet"):
        score(tiny_classifier, tmp_path / "in.jsonl", tmp_path / f"out{suffix}", settings)
    views = [tiny_classifier.read_sentences([text])[0] for text in ("A good film. It is very bad!", "good")]
    with (tmp_path / "out.csv").open(newline="") as file:
        from_csv = [(json.loads(row["sentences"]), json.loads(row["mixed"])) for row in csv.DictReader(file)]
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    from_json = [(row["sentences"], row["mixed"]) for row in map(json.loads, lines)]
    from_table = [(row["sentences"], row["mixed"]) for row in pq.read_table(tmp_path / "out.parquet").to_pylist()]
    assert from_csv == from_json == from_table
    assert [json.loads(line)["label"] for line in lines] == [view.prediction.label for view in views]
    for (sentences, mixed), view in zip(from_json, views, strict=True):
        own = [asdict(each) | {"probabilities": pytest.approx(each.probabilities)} for each in view.sentences]
        assert (sentences, mixed) == (own, view.mixed)
