"""Which formats are scored, and into which."""

from sentiment.storage.formats import LINE_SUFFIX, ROW_SUFFIXES, Format, format_of

INPUT_SUFFIXES = (*ROW_SUFFIXES, LINE_SUFFIX)


def input_format(name: str) -> Format:
    """Raises DataError where nothing reads it."""
    return format_of(name, INPUT_SUFFIXES, "score reads")


def output_format(name: str) -> Format:
    """Raises DataError where nothing writes it."""
    return format_of(name, ROW_SUFFIXES, "score writes")
