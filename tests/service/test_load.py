"""Many clients at once, and what must not be lost of their requests when there are too many or a process ends."""

import http.client
import json
import os
import re
import secrets
import signal
import threading
from collections import Counter
from time import monotonic

import pytest

from sentiment.classifier import Classifier
from tests.service.conftest import WAIT_SECONDS, Server, StartServer, wait_for

PAUSE_SECONDS = 1.0  # in which a client that was just refused is not read
TEXTS = ("good", "not good", "a great film", "awful and boring", "okay :)")


class Clients:
    """Threads that ask one after the other on connections of their own, and what became of each request."""

    def __init__(self, server: Server, classifier: Classifier, count: int) -> None:
        self.name = secrets.token_hex(4)
        self.answered: Counter[int] = Counter()
        self.lost: list[str] = []  # on a new connection
        self.broken: list[str] = []  # on one used before: a server may close it between two requests
        self.wrong: list[str] = []
        self.without_retry_after = 0
        self._port = server.port
        self._expected = {text: classifier.predict([text])[0].probabilities for text in TEXTS}
        self._stop = threading.Event()
        self._started = threading.Barrier(count + 1)
        self._threads = [threading.Thread(target=self._run, args=(TEXTS[place % 5],)) for place in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        self._started.wait(WAIT_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(WAIT_SECONDS)

    def wait_for(self, answers: int) -> None:
        """Until so many more were answered."""
        wanted = self.answered[200] + answers
        wait_for(lambda: self.answered[200] >= wanted)

    def _run(self, text: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=WAIT_SECONDS)
        body = json.dumps({"text": text})
        for number in range(1_000_000):
            if number == 1:
                self._started.wait(WAIT_SECONDS)
            if self._stop.is_set():
                break
            is_new = connection.sock is None
            try:
                if is_new:
                    connection.connect()
            except ConnectionRefusedError:  # the request was not accepted
                break
            try:
                headers = {"Content-Type": "application/json", "X-Request-ID": f"{self.name}-{number}"}
                connection.request("POST", "/v1/predict", body, headers)
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException) as error:
                (self.lost if is_new else self.broken).append(repr(error))
                connection.close()
                continue
            self.answered[response.status] += 1
            if response.status == 503:
                self.without_retry_after += response.headers["Retry-After"] != "1"
            elif answer["predictions"][0]["probabilities"] != pytest.approx(self._expected[text], abs=1e-5):
                self.wrong.append(text)
        connection.close()


@pytest.mark.slow
def test_ten_times_the_load_then_a_worker_killed_then_the_end(
    start_server: StartServer, tiny_classifier: Classifier
) -> None:
    server = start_server(WORKERS="2", THREADS="4").wait_until_ready()
    begun = monotonic()
    with Clients(server, tiny_classifier, count=80) as overload:
        overload.wait_for(200)
        assert server.get("/health/ready").status_code == 200
    assert set(overload.answered) == {200, 503}
    # They retry at once, but each is refused at most once a second, which leaves the processor to answers.
    assert overload.answered[503] <= 80 * (2 + (monotonic() - begun) / PAUSE_SECONDS)
    assert (overload.lost, overload.broken, overload.wrong, overload.without_retry_after) == ([], [], [], 0)

    with Clients(server, tiny_classifier, count=4) as clients:
        clients.wait_for(20)
        before = server.worker_pids
        os.kill(before[0], signal.SIGKILL)
        assert server.get("/health/ready").status_code == 200
        wait_for(lambda: len(set(server.worker_pids) - {before[0]}) == 2)
        clients.wait_for(100)
    assert len(clients.lost + clients.broken) <= 4  # a client has one request in flight
    assert clients.wrong == []

    with Clients(server, tiny_classifier, count=8) as clients:
        clients.wait_for(20)
        server.process.send_signal(signal.SIGTERM)
        assert server.wait_for_exit() == 0
    assert set(clients.answered) <= {200, 503}
    # The kernel may take some in at the very moment when the last listening socket closes.
    assert len(clients.lost) <= 8, clients.lost  # each client asks once more at most
    assert {"ConnectionResetError(104, 'Connection reset by peer')"} >= set(clients.lost)
    assert clients.wrong == []
    taken_in = re.findall(rf'"request_id":"{clients.name}-.*"status":200', server.log)
    assert len(taken_in) == clients.answered[200]
