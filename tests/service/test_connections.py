"""Which connection is due, and when. Time is what the tests say it is."""

import math
import selectors
import socket
from collections.abc import Iterator

import pytest

from service.connection import Connection
from service.connections import PAUSE_SECONDS, Connections, State

SECONDS = {State.IDLE: 75.0, State.ARRIVING: 20.0, State.CLOSING: 2.0}


class Room:
    """Connections over pairs of sockets, and the clients' ends of these."""

    def __init__(self) -> None:
        self.poller = selectors.DefaultSelector()
        self.connections = Connections(self.poller, SECONDS, self._on_readable)
        self.clients: dict[Connection, socket.socket] = {}
        self._read: list[Connection] = []

    def connect(self) -> Connection:
        """One that nobody watches yet."""
        ours, client = socket.socketpair()
        connection = Connection(ours, "peer", "server", max_body_bytes=64)
        self.clients[connection] = client
        return connection

    def watched(self, state: State, *moments: float) -> list[Connection]:
        """New ones, in this state since each of these moments."""
        connections = [self.connect() for _ in moments]
        for connection, now in zip(connections, moments, strict=True):
            self.connections.watch(connection, state, now)
        return connections

    def readable(self) -> list[Connection]:
        """Those that the poller finds readable."""
        self._read = []
        for key, _ in self.poller.select(0):
            key.data()
        return self._read

    def close(self) -> None:
        self.poller.close()
        for connection, client in self.clients.items():
            connection.sock.close()
            client.close()

    def _on_readable(self, connection: Connection) -> None:
        self._read.append(connection)


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.close()


def is_closed(connection: Connection) -> bool:
    return connection.sock.fileno() == -1


def test_each_state_has_its_own_time(room: Room) -> None:
    connections = room.connections
    for state, seconds in SECONDS.items():
        (connection,) = room.watched(state, 100.0)
        assert connections.next_expired(100.0 + seconds) is None
        assert connections.next_expired(100.1 + seconds) is connection
        connections.drop(connection)
    assert connections.next_expired(1e9) is None


def test_the_longest_there_expires_first(room: Room) -> None:
    connections = room.connections
    first, second, third = room.watched(State.ARRIVING, 1.0, 2.0, 3.0)
    connections.watch(first, State.ARRIVING, 19.0)  # more of its request came: it has no more time for that
    expired = []
    while late := connections.next_expired(22.5):
        expired.append(late)
        connections.watch(late, State.CLOSING, 22.5)
    assert expired == [first, second]
    assert list(connections.of(State.ARRIVING)) == [third]
    assert list(connections.of(State.CLOSING)) == [first, second]
    assert connections.next_expired(23.5) is third


def test_a_new_state_begins_a_new_time(room: Room) -> None:
    connections = room.connections
    first, second = room.watched(State.IDLE, 1.0, 2.0)
    connections.watch(first, State.ARRIVING, 3.0)
    connections.watch(first, State.IDLE, 4.0)
    assert list(connections.of(State.IDLE)) == [second, first]
    assert (first.since, second.since) == (4.0, 2.0)
    assert connections.state(first) is State.IDLE


def test_who_is_watched_is_told_of(room: Room) -> None:
    first, second, third = room.watched(State.IDLE, 1.0, 2.0, 3.0)
    for connection in (first, third):
        room.clients[connection].send(b"GET ")
    assert set(room.readable()) == {first, third}
    room.connections.unwatch(first)
    room.connections.unwatch(first)  # which its end may do once more
    assert first.sock.fileno() in room.poller.get_map()  # in case it is watched again before its client sends more
    assert room.readable() == [third]
    assert first.sock.fileno() not in room.poller.get_map()  # or the poller would never rest
    assert len(room.connections) == 2
    room.connections.watch(first, State.IDLE, 4.0)
    assert list(room.connections.of(State.IDLE)) == [second, third, first]
    assert set(room.readable()) == {first, third}


def test_room_is_made_by_the_one_idle_for_the_longest(room: Room) -> None:
    (arriving,) = room.watched(State.ARRIVING, 1.0)
    first, second = room.watched(State.IDLE, 2.0, 3.0)
    room.connections.make_room(4.0)
    assert [is_closed(connection) for connection in (arriving, first, second)] == [False, True, False]
    room.connections.make_room(4.0)
    room.connections.make_room(4.0)
    assert [is_closed(connection) for connection in (arriving, first, second)] == [True, True, True]
    assert len(room.connections) == 0
    room.connections.make_room(4.0)  # nobody is left
    assert room.clients[arriving].recv(1) == b""


def test_room_is_made_by_one_that_is_paused_if_no_other_is_idle(room: Room) -> None:
    first, second = room.watched(State.IDLE, 1.0, 2.0)
    (arriving,) = room.watched(State.ARRIVING, 1.0)
    room.connections.pause(first, 3.0)
    room.connections.pause(second, 3.1)
    room.connections.make_room(3.2)
    assert [is_closed(connection) for connection in (first, second, arriving)] == [True, False, False]
    assert room.connections.seconds_to_next(3.2) == pytest.approx(PAUSE_SECONDS - 0.1)


def test_room_is_made_by_paused_ones_whose_clients_have_gone(room: Room) -> None:
    (idle,) = room.watched(State.IDLE, 0.0)
    staying, *leaving = room.watched(State.IDLE, 1.0, 1.0, 1.0)
    for connection in (staying, *leaving):
        room.connections.pause(connection, 2.0)
        room.clients[connection].send(b"GET ")  # asked once more, and unread
    for connection in leaving:
        room.clients[connection].close()
    room.connections.make_room(2.1)
    assert [is_closed(connection) for connection in (idle, staying, *leaving)] == [False, False, True, True]
    assert len(room.connections) == 2
    room.connections.make_room(2.1)
    assert [is_closed(connection) for connection in (idle, staying)] == [True, False]


def test_a_paused_one_is_not_watched_until_it_is_due(room: Room) -> None:
    connections = room.connections
    first, second = room.watched(State.IDLE, 1.0, 2.0)
    for client in room.clients.values():
        client.send(b"GET ")
    assert connections.seconds_to_next(3.0) == math.inf
    connections.pause(first, 3.0)
    connections.pause(second, 3.25)
    assert (room.readable(), len(connections)) == ([], 2)
    assert connections.next_expired(1e9) is None
    assert connections.seconds_to_next(3.25) == PAUSE_SECONDS - 0.25
    connections.resume(2.99 + PAUSE_SECONDS)
    assert room.readable() == []
    connections.resume(3.0 + PAUSE_SECONDS)
    assert (room.readable(), first.since, len(connections)) == ([first], 3.0 + PAUSE_SECONDS, 2)
    connections.resume_all(3.5)
    assert list(connections.of(State.IDLE)) == [first, second]
    assert set(room.readable()) == {first, second}
    assert connections.seconds_to_next(3.5) == math.inf


def test_arriving_bytes_are_counted_once_and_given_back(room: Room) -> None:
    connections = room.connections
    first, second = room.watched(State.IDLE, 1.0, 1.0)
    first.buffer += b"12345"
    connections.watch(first, State.ARRIVING, 2.0)
    connections.watch(first, State.ARRIVING, 2.0)
    assert connections.arriving_bytes == 5
    second.buffer += b"123"
    connections.watch(second, State.ARRIVING, 3.0)
    first.buffer += b"678"
    connections.watch(first, State.ARRIVING, 4.0)
    assert connections.arriving_bytes == 11
    connections.watch(second, State.CLOSING, 5.0)
    assert connections.arriving_bytes == 11  # it is still there
    connections.drop(second)
    assert connections.arriving_bytes == 8
    connections.unwatch(first)
    assert (connections.arriving_bytes, first.counted_bytes) == (0, 0)
