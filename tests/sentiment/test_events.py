import json

from sentiment.events import EventLines


def test_progress_once_a_second_and_every_event() -> None:
    now, lines = [100.0], []
    events = EventLines(lines.append, lambda: now[0])
    for moment in (100.0, 100.4, 100.9, 101.1):
        now[0] = moment
        events.progress(moment=moment)
        events.event("other", moment=moment)
    found = [json.loads(line) for line in lines]
    assert [each["moment"] for each in found if each["event"] == "progress"] == [100.0, 101.1]
    assert [each["moment"] for each in found if each["event"] == "other"] == [100.0, 100.4, 100.9, 101.1]
