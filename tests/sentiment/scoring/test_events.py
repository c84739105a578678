import json
from pathlib import Path

from sentiment.classifier import Classifier
from sentiment.scoring import Progress, score
from sentiment.scoring.events import JsonEvents, Speedometer


def progress(rows: int, fraction: float) -> Progress:
    return Progress(rows, 0, 10 * rows, rows, fraction, 50)


def test_speeds_are_of_this_process_alone() -> None:
    now = [100.0]
    speedometer = Speedometer(lambda: now[0])
    assert speedometer.speed(progress(50, 0.2)).seconds_left is None
    now[0] += 4
    speed = speedometer.speed(progress(250, 0.4))
    assert (speed.rows_per_second, speed.tokens_per_second) == (50, 500)
    assert speed.seconds_left is not None
    assert round(speed.seconds_left, 6) == 12


def test_an_event_a_second_and_one_at_the_end(tiny_classifier: Classifier, tmp_path: Path) -> None:
    now, lines = [100.0], []
    events = JsonEvents(lines.append, lambda: now[0])
    for rows, seconds in ((0, 0.0), (10, 0.5), (20, 0.6), (30, 2.0)):
        now[0] = 100 + seconds
        events.progress(progress(rows, rows / 40))
    (tmp_path / "in.txt").write_text("good\n\n")
    events.done(score(tiny_classifier, tmp_path / "in.txt", tmp_path / "out.jsonl"))
    found = [json.loads(line) for line in lines]
    assert [event["event"] for event in found] == ["progress", "progress", "done"]
    assert [event.get("rows") for event in found] == [0, 30, 2]
    assert (found[1]["rows_per_second"], found[1]["fraction"]) == (15.0, 0.75)
    assert (found[2]["scored"], found[2]["rejected"]) == (1, 1)
    assert found[2]["rejects_path"] == str(tmp_path / "out.jsonl.rejects.jsonl")
