"""Model folders that earlier releases wrote are still read, and still give the answers they were saved with."""

import json
from pathlib import Path

import pytest

import sentiment
from sentiment import manifest

DATA = Path(__file__).parents[1] / "data"
FOLDERS = sorted(DATA.glob("bundle_format_*"))


def test_there_is_one_of_every_format() -> None:
    formats = [json.loads((folder / manifest.MANIFEST).read_text())["format_version"] for folder in FOLDERS]
    assert formats == list(range(1, manifest.FORMAT_VERSION + 1))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_answers_as_it_was_saved(folder: Path) -> None:
    classifier = sentiment.load(folder)
    golden = json.loads((folder / "golden.json").read_text())
    for entry, prediction in zip(golden, classifier.predict([entry["text"] for entry in golden]), strict=True):
        assert prediction.label == entry["label"]
        assert prediction.probabilities == pytest.approx(entry["probabilities"], abs=1e-5)
