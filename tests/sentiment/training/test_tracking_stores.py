from sentiment.training.events import Start
from sentiment.training.tracking.stores import fingerprint_of, safe_name, settings_of


def start(**settings: str) -> Start:
    return Start("toy", 9, 4, ("bad", "good"), 100, 3, 0, 0, settings, "float32", {})


def test_settings_are_numbers_where_they_are_and_text_else() -> None:
    found = settings_of(
        start(size="4", rate="0.002", balanced="true", encoder='"lstm"', vectors="[]", torch="2.13.0+cpu")
    )
    assert found == {
        "size": 4,
        "rate": 0.002,
        "balanced": True,
        "encoder": "lstm",
        "vectors": "[]",
        "torch": "2.13.0+cpu",
        "rows": 9,
        "dev_rows": 4,
        "labels": "bad, good",
        "parameters": 100,
        "dtype": "float32",
    }


def test_the_same_training_has_the_same_name_and_another_not() -> None:
    assert fingerprint_of(start(a="1", b="2")) == fingerprint_of(start(b="2", a="1"))
    assert fingerprint_of(start(a="1", b="2")) != fingerprint_of(start(a="1", b="3"))
    assert len(fingerprint_of(start())) == 8


def test_names_keep_what_every_store_takes() -> None:
    assert safe_name("split of äpfel-1.csv") == "split of äpfel-1.csv"
    assert safe_name("data/(a)%.csv") == "data__a__.csv"
