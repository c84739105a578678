"""A file with one row in a hundred of each kind of badness: all of them are in the rejects, good ones untouched."""

import base64
import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.scoring import ScoringSettings, ScoringSummary, score

ROWS = 1_000
MAX_TOKENS = 64
LONG = "good film " * 40
FAILS = "awful okay awful okay"
FAILURE = "makes the model fail: RuntimeError: could not create a primitive"
TOO_LONG = f"is too long to be read in full: the limit is {MAX_TOKENS} tokens"
Kinds = dict[str, Callable[[int], bytes]]  # by reason

CSV: Kinds = {
    "is not UTF-8: byte 0xe9": lambda n: b'%d,"caf\xe9, bad"' % n,
    "is malformed: ',' expected after '\"'": lambda n: b'%d,"good" film' % n,
    "has 3 cells where the first line names 2 columns": lambda n: b"%d,good,film" % n,
    "has 1 cells where the first line names 2 columns": lambda n: b"%d" % n,
    "is a blank line": lambda n: b"",
    "is empty or blank": lambda n: b'%d," "' % n,
    TOO_LONG: lambda n: b"%d,%s" % (n, LONG.encode()),
    FAILURE: lambda n: b"%d,%s" % (n, FAILS.encode()),
}
JSON: Kinds = {
    "is not UTF-8: byte 0xe9": lambda n: b'{"id": %d, "text": "caf\xe9"}' % n,
    "is not JSON: Expecting ',' delimiter at character 26": lambda n: b'{"id": %d, "text": "" x}' % (100_000 + n),
    "is not JSON: it has no NaN": lambda n: b'{"id": %d, "text": NaN}' % n,
    "is not a JSON object": lambda n: b"[%d]" % n,
    "is a blank line": lambda n: b"",
    "holds a lone surrogate: it is not valid Unicode": lambda n: b'{"id": %d, "text": "\\udc00"}' % n,
    "has no text": lambda n: b'{"id": %d}' % n,
    "holds int, not text": lambda n: b'{"id": %d, "text": 5}' % n,
    "is empty or blank": lambda n: b'{"id": %d, "text": ""}' % n,
    TOO_LONG: lambda n: json.dumps({"id": n, "text": LONG}).encode(),
    FAILURE: lambda n: json.dumps({"id": n, "text": FAILS}).encode(),
}
LINES: Kinds = {
    "is not UTF-8: byte 0xe9": lambda n: b"caf\xe9 %d" % n,
    "is empty or blank": lambda n: b" \t"[: n % 3],
    TOO_LONG: lambda n: b"%d %s" % (n, LONG.encode()),
    FAILURE: lambda n: FAILS.encode(),
}
TABLE: dict[str, bytes | None] = {
    "holds a text that is not UTF-8": b"caf\xe9",
    "has no text": None,
    "is empty or blank": b" ",
    TOO_LONG: LONG.encode(),
    FAILURE: FAILS.encode(),
}


@pytest.fixture(scope="module")
def classifier(make_bundle: Callable[..., Any]) -> Iterator[Classifier]:
    """Return one whose model fails at four words."""
    classifier = Classifier(make_bundle(max_tokens=MAX_TOKENS))
    [marker] = classifier.encode([FAILS])
    classify = Classifier.classify

    def fail(self: Classifier, encoded: Sequence[EncodedText]) -> list[Prediction]:
        if marker in encoded:
            raise RuntimeError("could not create a primitive\nand so on")
        return classify(self, encoded)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Classifier, "classify", fail)
        yield classifier


def good_texts(rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(["good", "bad", "film", "not", "very"], k=rng.randint(1, 9))) for _ in range(ROWS)]


def bad_places(rng: random.Random, reasons: Sequence[str]) -> dict[int, str]:
    """Which rows are bad: one in a hundred of each kind."""
    indices = rng.sample(range(ROWS), ROWS // 100 * len(reasons))
    return {index: reasons[number % len(reasons)] for number, index in enumerate(indices)}


@pytest.mark.parametrize(("suffix", "kinds"), [(".csv", CSV), (".jsonl", JSON), (".txt", LINES)])
def test_each_bad_row_is_in_the_rejects_and_each_good_one_in_the_output(
    classifier: Classifier, tmp_path: Path, suffix: str, kinds: Kinds
) -> None:
    rng = random.Random(0)
    bad, texts = bad_places(rng, list(kinds)), good_texts(rng)
    written = b"id,text\n" if suffix == ".csv" else b""
    expected = []
    for n, text in enumerate(texts):
        good = {".csv": f"{n},{text}", ".jsonl": json.dumps({"id": n, "text": text}), ".txt": text}[suffix]
        raw = kinds[bad[n]](n) if n in bad else good.encode()
        if n in bad:
            expected.append((n + 1, len(written), bad[n], raw))
        written += raw + b"\n"
    source, target = tmp_path / f"in{suffix}", tmp_path / ("out.csv" if suffix == ".csv" else "out.jsonl")
    source.write_bytes(written)

    summary = score(classifier, source, target, ScoringSettings(strict=True, shard_rows=150))

    assert (summary.rows, summary.scored, summary.rejected) == (ROWS, ROWS - len(bad), len(bad))
    rejects = rejects_of(summary)
    found = [(reject["row"], reject["offset"], reject["reason"]) for reject in rejects]
    assert found == [(row, offset, reason) for row, offset, reason, _ in expected]
    for (_, offset, _, raw), reject in zip(expected, rejects, strict=True):
        assert written[offset:].startswith(raw)
        assert (reject["raw"].encode() if "raw" in reject else base64.b64decode(reject["raw_base64"])) == raw
    answers = list(csv.DictReader(io.StringIO(target.read_text()))) if suffix == ".csv" else [
        json.loads(line) for line in target.read_text().splitlines()
    ]  # fmt: skip
    good_places = [n for n in range(ROWS) if n not in bad]
    assert [answer["text"] for answer in answers] == [texts[n] for n in good_places]
    if suffix != ".txt":
        assert [int(answer["id"]) for answer in answers] == good_places
    predictions = classifier.predict([texts[n] for n in good_places])
    assert [answer["label"] for answer in answers] == [prediction.label for prediction in predictions]


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_each_bad_row_of_a_table_is_in_the_rejects_and_each_good_one_in_the_output(
    classifier: Classifier, tmp_path: Path, suffix: str
) -> None:
    rng = random.Random(0)
    bad, texts = bad_places(rng, list(TABLE)), good_texts(rng)
    cells = [TABLE[bad[n]] if n in bad else text.encode() for n, text in enumerate(texts)]
    prices = pa.array([Decimal(n) / 4 for n in range(ROWS)], pa.decimal128(9, 2))
    kinds = pa.array([f"kind {n % 7}" for n in range(ROWS)]).dictionary_encode()
    columns = [pa.array(range(ROWS), pa.uint16()), pa.array(cells, pa.binary()).view(pa.string()), prices, kinds]
    table = pa.table(columns, ["id", "text", "price", "kind"])
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    if suffix == ".parquet":
        pq.write_table(table, source, row_group_size=350)
    else:
        with pa.ipc.new_file(str(source), table.schema) as writer:
            writer.write_table(table, max_chunksize=350)

    summary = score(classifier, source, target, ScoringSettings(strict=True, shard_rows=150))

    assert (summary.rows, summary.scored, summary.rejected) == (ROWS, ROWS - len(bad), len(bad))
    rejects = rejects_of(summary)
    assert [(reject["row"], reject["reason"]) for reject in rejects] == [(n + 1, bad[n]) for n in sorted(bad)]
    for reject, n in zip(rejects, sorted(bad), strict=True):
        cell = cells[n]
        text = "Y2Fm6Q==" if cell == b"caf\xe9" else cell if cell is None else cell.decode()
        assert reject["raw"] == {"id": n, "text": text, "price": f"{n / 4:.2f}", "kind": f"kind {n % 7}"}
        assert "offset" not in reject
    good_places = [n for n in range(ROWS) if n not in bad]
    found = pq.read_table(target) if suffix == ".parquet" else feather.read_table(target)
    own = found.select(table.schema.names)
    assert own.to_pylist() == table.take(good_places).to_pylist()
    assert own.schema.types == table.schema.types
    predictions = classifier.predict([texts[n] for n in good_places])
    assert found["label"].to_pylist() == [prediction.label for prediction in predictions]


def rejects_of(summary: ScoringSummary) -> list[dict[str, Any]]:
    assert isinstance(summary.rejects_path, Path)
    return [json.loads(line) for line in summary.rejects_path.read_bytes().splitlines()]
