"""A file with one row in a hundred of each kind of badness: all of them are in the rejects, good ones untouched."""

import csv
import io
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from sentiment.classifier import Classifier, EncodedText, Prediction
from sentiment.scoring import ScoringSettings, score

ROWS = 2_000
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


@pytest.fixture
def classifier(make_bundle: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Classifier:
    """One whose model fails at four words."""
    classifier = Classifier(make_bundle(max_tokens=MAX_TOKENS))
    [marker] = classifier.encode([FAILS])
    classify = Classifier.classify

    def fail(self: Classifier, encoded: Sequence[EncodedText]) -> list[Prediction]:
        if marker in encoded:
            raise RuntimeError("could not create a primitive")
        return classify(self, encoded)

    monkeypatch.setattr(Classifier, "classify", fail)
    return classifier


@pytest.mark.parametrize(("suffix", "kinds"), [(".csv", CSV), (".jsonl", JSON)])
def test_each_bad_row_is_in_the_rejects_and_each_good_one_in_the_output(
    classifier: Classifier, tmp_path: Path, suffix: str, kinds: Kinds
) -> None:
    rng = random.Random(0)
    places = rng.sample(range(ROWS), ROWS // 100 * len(kinds))
    bad = {place: list(kinds)[number % len(kinds)] for number, place in enumerate(places)}
    texts = [" ".join(rng.choices(["good", "bad", "film", "not", "very"], k=rng.randint(1, 9))) for _ in range(ROWS)]
    written = b"id,text\n" if suffix == ".csv" else b""
    expected = []
    for n, text in enumerate(texts):
        good = f"{n},{text}" if suffix == ".csv" else json.dumps({"id": n, "text": text})
        raw = kinds[bad[n]](n) if n in bad else good.encode()
        if n in bad:
            expected.append((n + 1, len(written), bad[n], raw))
        written += raw + b"\n"
    source, target = tmp_path / f"in{suffix}", tmp_path / f"out{suffix}"
    source.write_bytes(written)

    summary = score(classifier, source, target, ScoringSettings(strict=True, shard_rows=300))

    assert (summary.rows, summary.scored, summary.rejected) == (ROWS, ROWS - len(bad), len(bad))
    assert summary.rejects_path is not None
    rejects = [json.loads(line) for line in summary.rejects_path.read_bytes().splitlines()]
    found = [(reject["row"], reject["offset"], reject["reason"]) for reject in rejects]
    assert found == [(row, offset, reason) for row, offset, reason, _ in expected]
    for (_, offset, _, raw), reject in zip(expected, rejects, strict=True):
        assert written[offset:].startswith(raw)
        if "raw" in reject:
            assert reject["raw"].encode() == raw
        else:
            assert "raw_base64" in reject
    answers = list(csv.DictReader(io.StringIO(target.read_text()))) if suffix == ".csv" else [
        json.loads(line) for line in target.read_text().splitlines()
    ]  # fmt: skip
    good_places = [n for n in range(ROWS) if n not in bad]
    assert [(int(answer["id"]), answer["text"]) for answer in answers] == [(n, texts[n]) for n in good_places]
    predictions = classifier.predict([texts[n] for n in good_places])
    assert [answer["label"] for answer in answers] == [prediction.label for prediction in predictions]
