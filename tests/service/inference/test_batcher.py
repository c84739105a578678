import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from sentiment.classifier import EncodedText, Prediction
from service.errors import BatcherFailed, DeadlinePassed, Overloaded, TextFailed
from service.inference.batcher import Batcher
from tests.service.conftest import WAIT_SECONDS, wait_for

POISON = 99


def encoded(*token_ids: int) -> EncodedText:
    return EncodedText(list(token_ids), truncated=False)


def answer(text: EncodedText) -> Prediction:
    return Prediction("-".join(map(str, text.token_ids)), {}, len(text.token_ids), 0, text.truncated)


class Recorder:
    """A classifier that waits for leave before each batch, and remembers what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[EncodedText]] = []
        self.entered = threading.Semaphore(0)
        self.leave = threading.Semaphore(0)

    def classify(self, texts: Sequence[EncodedText]) -> list[Prediction]:
        self.batches.append(list(texts))
        self.entered.release()
        assert self.leave.acquire(timeout=WAIT_SECONDS)
        if any(POISON in text.token_ids for text in texts):
            raise RuntimeError("a text")
        return [answer(text) for text in texts]

    def wait_until_computing(self) -> None:
        assert self.entered.acquire(timeout=WAIT_SECONDS)

    def open(self) -> None:
        self.leave.release(10_000)


Ask = Callable[..., "Future[list[Prediction]]"]


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    recorder = Recorder()
    yield recorder
    recorder.open()


@pytest.fixture
def batcher() -> Batcher:
    return Batcher(max_batch_tokens=8, max_waiting_texts=40)


@pytest.fixture
def ask(batcher: Batcher) -> Iterator[Ask]:
    """Asks in a thread of its own, and comes back once the texts wait in the queue."""
    with ThreadPoolExecutor(64) as threads:

        def ask(recorder: Recorder, *texts: EncodedText, seconds: float = WAIT_SECONDS) -> "Future[list[Prediction]]":
            waiting = batcher.waiting_texts
            asked = threads.submit(batcher.classify, recorder, texts, time.monotonic() + seconds)
            wait_for(lambda: batcher.waiting_texts > waiting or asked.done())
            return asked

        yield ask


def test_what_waits_together_is_computed_together(ask: Ask, recorder: Recorder) -> None:
    first = ask(recorder, encoded(1))
    recorder.wait_until_computing()
    others = [ask(recorder, encoded(number)) for number in range(2, 7)]
    recorder.open()
    assert [future.result() for future in [first, *others]] == [[answer(encoded(number))] for number in range(1, 7)]
    assert recorder.batches == [[encoded(1)], [encoded(number) for number in range(2, 7)]]


def test_a_batch_is_bounded_by_its_tokens(ask: Ask, recorder: Recorder) -> None:
    first = ask(recorder, encoded(1))
    recorder.wait_until_computing()
    others = [ask(recorder, encoded(*[number] * 3)) for number in range(2, 6)]
    longest = ask(recorder, encoded(*[6] * 20))
    recorder.open()
    for future in [first, *others, longest]:
        future.result()
    assert [[len(text.token_ids) for text in batch] for batch in recorder.batches] == [[1], [3, 3], [3, 3], [20]]


@pytest.mark.parametrize("max_batch_tokens", [1, 3])
def test_a_batch_of_few_tokens_still_holds_a_text(recorder: Recorder, max_batch_tokens: int) -> None:
    batcher = Batcher(max_batch_tokens, max_waiting_texts=40)
    recorder.open()
    answers: queue.Queue[object] = queue.Queue()
    texts = [encoded(1), encoded(2, 3), encoded(4)]

    def ask() -> None:
        answers.put(batcher.classify(recorder, texts, time.monotonic() + WAIT_SECONDS))

    # A daemon thread: with a batcher that keeps its lock, it would never end.
    threading.Thread(target=ask, daemon=True).start()
    assert answers.get(timeout=WAIT_SECONDS) == [answer(text) for text in texts]


def test_a_long_list_does_not_hold_up_a_single_text(ask: Ask, recorder: Recorder) -> None:
    long = ask(recorder, *[encoded(1)] * 30)
    recorder.wait_until_computing()
    single = ask(recorder, encoded(2))
    recorder.open()
    assert len(long.result()) == 30
    single.result()
    assert encoded(2) in recorder.batches[1]


def test_a_batch_is_of_one_classifier(ask: Ask, recorder: Recorder) -> None:
    other = Recorder()
    other.open()
    asked = [ask(recorder, encoded(1))]
    recorder.wait_until_computing()
    asked += [ask(each, encoded(number)) for number, each in enumerate([recorder, other, recorder, other], start=2)]
    recorder.open()
    assert [future.result() for future in asked] == [[answer(encoded(number))] for number in range(1, 6)]
    assert recorder.batches == [[encoded(1)], [encoded(2), encoded(4)]]
    assert other.batches == [[encoded(3), encoded(5)]]


def test_a_poisoned_text_is_named_by_its_place_and_its_cause_logged_without_its_words(
    ask: Ask, recorder: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    recorder.open()
    with pytest.raises(TextFailed) as error:
        ask(recorder, *[encoded(1)] * 5, encoded(POISON), encoded(2)).result()
    assert error.value.index == 5
    assert "a text can't be computed: RuntimeError\n" in caplog.text
    assert '"a text"' not in caplog.text.split("\n")[0]


def test_past_the_bound_a_text_is_refused_at_once(ask: Ask, recorder: Recorder, batcher: Batcher) -> None:
    taken = [ask(recorder, *[encoded(1)] * 20), ask(recorder, *[encoded(1)] * 20)]
    with pytest.raises(Overloaded, match="^40 texts are waiting; the limit is 40$"):
        batcher.classify(recorder, [encoded(1)], time.monotonic() + WAIT_SECONDS)
    with pytest.raises(Overloaded, match="^40 texts are waiting; the limit is 40$"), batcher.reserve(1):
        pass
    recorder.open()
    for future in taken:
        assert len(future.result()) == 20
    assert batcher.waiting_texts == 0
    assert len(ask(recorder, *[encoded(1)] * 50).result()) == 50  # alone a larger request is answered


def test_an_answer_that_comes_late_goes_to_nobody(ask: Ask, recorder: Recorder, batcher: Batcher) -> None:
    with pytest.raises(DeadlinePassed):
        ask(recorder, encoded(1), seconds=0.01).result()
    after = ask(recorder, encoded(2))
    recorder.open()
    assert after.result() == [answer(encoded(2))]
    assert batcher.waiting_texts == 0


def test_a_batch_that_takes_too_long_is_trouble(ask: Ask, recorder: Recorder, batcher: Batcher) -> None:
    assert batcher.failure_reason(max_batch_seconds=0.01) is None
    asked = ask(recorder, encoded(1))
    recorder.wait_until_computing()
    assert batcher.failure_reason(max_batch_seconds=WAIT_SECONDS) is None
    wait_for(lambda: batcher.failure_reason(max_batch_seconds=0.01) is not None)
    assert batcher.failure_reason(max_batch_seconds=0.01) == "a batch has been computing for more than 0.01 seconds"
    recorder.open()
    asked.result()
    wait_for(lambda: batcher.failure_reason(max_batch_seconds=0.01) is None)


class Killer(Recorder):
    """Ends the thread that computes."""

    def classify(self, texts: Sequence[EncodedText]) -> list[Prediction]:
        super().classify(texts)
        raise SystemExit


def test_when_its_thread_dies_nobody_waits_for_it(ask: Ask, batcher: Batcher) -> None:
    killer = Killer()
    asked = [ask(killer, encoded(1))]
    killer.wait_until_computing()
    asked += [ask(killer, encoded(2)), ask(killer, encoded(3))]
    killer.open()
    for future in asked:
        with pytest.raises(BatcherFailed, match="^the batcher died of SystemExit$"):
            future.result()
    with pytest.raises(BatcherFailed):
        batcher.classify(killer, [encoded(4)], time.monotonic() + WAIT_SECONDS)
    with pytest.raises(BatcherFailed, match="^the batcher died of SystemExit$"), batcher.reserve(1):
        pass
    assert batcher.failure_reason(max_batch_seconds=WAIT_SECONDS) == "the batcher died of SystemExit"
