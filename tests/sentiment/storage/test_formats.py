import pytest

from sentiment.errors import DataError
from sentiment.scoring.formats.by_suffix import INPUT_SUFFIXES, input_format, output_format
from sentiment.storage.formats import base_name, has_format


@pytest.mark.parametrize("name", ["in.xlsx", "in", "in.csv.gz.bak", "in.parquet.gz", "in.gz"])
def test_a_suffix_that_says_no_format_is_refused(name: str) -> None:
    given = {"in.csv.gz.bak": ".bak", "in": "", "in.gz": ".gz"}.get(name, name.removeprefix("in"))
    known = ".csv, .tsv, .jsonl, .ndjson, .parquet, .arrow"
    says = f"{name}: the suffix says the format, and score"
    packed = ".gz, .zst after those of text"
    assert not has_format(name, INPUT_SUFFIXES)
    with pytest.raises(DataError) as caught:
        input_format(name)
    assert str(caught.value) == f"{says} reads {known}, .txt, and {packed}, not {given!r}"
    with pytest.raises(DataError) as caught:
        output_format(name)
    assert str(caught.value) == f"{says} writes {known}, and {packed}, not {given!r}"


def test_formats_say_themselves_as_they_are_written() -> None:
    for name, suffix in (("a.b.TXT", ".txt"), ("c.csv.gz", ".csv.gz"), ("d.JSONL.zst", ".jsonl.zst")):
        assert str(input_format(name)) == suffix
    assert {input_format(f"a{suffix}").kind for suffix in (".parquet", ".arrow")} == {"a table"}


def test_a_web_address_may_go_on_after_the_suffix() -> None:
    assert str(input_format("https://host/a/train.csv.gz?download=true")) == ".csv.gz"
    names = ("https://host/a/b.csv?x=1/2", "s3://bucket/in/", "a/*.csv", "/")
    assert [base_name(name) for name in names] == ["b.csv", "in", "*.csv", "/"]
