"""Letters that are not those of the language that texts are read as."""

import pytest

from sentiment.text.scripts import SAMPLE, contradiction, scripts_of


@pytest.mark.parametrize(
    ("text", "languages"),
    [
        ("房间很干净，服务也好 OK", ("zh", "ja")),
        ("これはとても良い映画です", ("ja",)),
        ("좋은 영화 :)", ("ko",)),
        ("отличный фильм", ("ru", "uk", "sr")),
        ("فيلم رائع", ("ar", "fa")),
        ("ｆｉｎｅ film, très bien", ("en", "fr", "sr", "vi")),
        ("😀 12 !?", ("en", "zh", "ru")),
    ],
)
def test_only_a_language_of_other_letters_is_doubted(text: str, languages: tuple[str, ...]) -> None:
    scripts = scripts_of([text])
    for language in {"en", "zh", "ja", "ko", "ru", "ar", *languages}:
        doubted = contradiction(scripts, language) is not None
        assert doubted == (bool(scripts) and language not in languages), language
    assert contradiction(scripts, "xx") is None


def test_half_of_the_letters_are_enough_and_a_script_of_no_language_is_named() -> None:
    assert contradiction({"LATIN": 5, "CJK": 5}, "en") is None
    assert (
        contradiction({"LATIN": 5, "CJK": 6}, "en") == "most letters are CJK, as in zh or ja, and they are read as en"
    )
    assert contradiction({"RUNIC": 1}, "en") == "most letters are Runic, and they are read as en"


def test_a_part_of_many_texts_is_read() -> None:
    assert scripts_of([]) == {}
    assert sum(scripts_of(["a" * 10 * SAMPLE] * 3 * SAMPLE).values()) == SAMPLE**2
    assert set(scripts_of([*["a"] * SAMPLE, *["я"] * SAMPLE])) == {"LATIN", "CYRILLIC"}
