import io

from sentiment.scoring.formats.text.lines import Lines


def test_a_record_is_kept_as_it_stands_but_for_its_line_end() -> None:
    lines = Lines(io.BytesIO(b"one\r\ntwo\nthree"))
    lines.begin_record()
    assert [next(lines), next(lines)] == ["one\r\n", "two\n"]
    assert lines.raw == b"one\r\ntwo"
    lines.begin_record()
    assert list(lines) == ["three"]
    assert lines.raw == b"three"
    assert lines.offset == 14


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert list(Lines(io.BytesIO(b"\xef\xbb\xbfid,text\n1,a\n"))) == ["id,text\n", "1,a\n"]
    assert list(Lines(io.BytesIO(b"\xef\xbb\xbf"))) == []
    assert list(Lines(io.BytesIO(b""))) == []


def test_bytes_that_are_not_utf8_are_a_fault_of_their_record_alone() -> None:
    lines = Lines(io.BytesIO(b"caf\xe9\nfine\n"))
    lines.begin_record()
    next(lines)
    assert lines.fault == "is not UTF-8: byte 0xe9"
    assert lines.raw == b"caf\xe9"
    lines.begin_record()
    assert next(lines) == "fine\n"
    assert lines.fault is None


def test_giving_up_a_record_gives_its_later_lines_back_in_order() -> None:
    lines = Lines(io.BytesIO(b"1\n2\n3\n4\n"))
    lines.begin_record()
    for _ in range(3):
        next(lines)
    lines.give_up("is malformed")
    assert (lines.raw, lines.fault) == (b"1", "is malformed")
    lines.begin_record()
    assert list(lines) == ["2\n", "3\n", "4\n"]


def test_reading_goes_on_from_any_line() -> None:
    content = b"\xef\xbb\xbfone\ntwo\nthree\n"
    lines = Lines(io.BytesIO(content))
    assert lines.offset == 3
    lines.begin_record()
    next(lines)
    next(lines)
    lines.give_up("is malformed")
    assert lines.offset == 7
    assert list(Lines(io.BytesIO(content), lines.offset)) == ["two\n", "three\n"]
    assert list(Lines(io.BytesIO(content), len(content))) == []
