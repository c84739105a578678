"""The connections that wait for their clients: what each client is expected to do, since when, and what is due next.

Nothing is searched for: each state keeps its connections in the order in which they came to it.
"""

import math
import selectors
from collections.abc import Callable, KeysView, Mapping
from enum import Enum, auto
from functools import partial
from itertools import islice

from service.connection import Connection

LOOKED_AT = 64  # paused connections, when there is no room for one more
PAUSE_SECONDS = 0.5  # in which a client that was just refused isn't read: half of what Retry-After asks it to wait


class State(Enum):
    """What is expected of a connection's client."""

    IDLE = auto()  # the first byte of a request
    ARRIVING = auto()  # the rest of it
    CLOSING = auto()  # its end


class Connections:
    """Those that are watched, and those that are paused. One that is being answered is neither."""

    def __init__(
        self,
        poller: selectors.BaseSelector,
        seconds: Mapping[State, float],
        on_readable: Callable[[Connection], None],
    ) -> None:
        """`seconds` is how long a client may stay in each state; `on_readable` is the poller's data, as a call."""
        self.arriving_bytes = 0  # of all requests that are not yet whole
        self._poller = poller
        self._seconds = seconds
        self._on_readable = on_readable
        self._states: dict[Connection, State] = {}
        self._polled: set[Connection] = set()  # one that is being answered stays there until its client sends more
        self._watched: dict[State, dict[Connection, None]] = {state: {} for state in State}  # the longest there first
        self._paused: dict[Connection, None] = {}  # the longest there first

    def __len__(self) -> int:
        """How many there are, watched and paused."""
        return len(self._states) + len(self._paused)

    def of(self, state: State) -> KeysView[Connection]:
        """Those in this state as it changes, the longest there first."""
        return self._watched[state].keys()

    def state(self, connection: Connection) -> State | None:
        """The state of one that is watched, else none."""
        return self._states.get(connection)

    def watch(self, connection: Connection, state: State, now: float) -> None:
        """Has the poller tell when its client does what this state expects; what has arrived so far is counted."""
        before = self._states.get(connection)
        if state is State.ARRIVING:
            self.arriving_bytes += len(connection.buffer) - connection.counted_bytes
            connection.counted_bytes = len(connection.buffer)
        if before is state:
            return
        if before is not None:
            del self._watched[before][connection]
        elif connection not in self._polled:
            self._poller.register(connection.sock, selectors.EVENT_READ, partial(self._tell, connection))
            self._polled.add(connection)
        connection.since = now
        self._states[connection] = state
        self._watched[state][connection] = None

    def unwatch(self, connection: Connection) -> None:
        """Leaves it to whoever answers it. One that wasn't watched stays as it is."""
        state = self._states.pop(connection, None)
        if state is not None:
            del self._watched[state][connection]
            self.arriving_bytes -= connection.counted_bytes
            connection.counted_bytes = 0

    def drop(self, connection: Connection) -> None:
        """Closes it, whether it was watched or not."""
        self.unwatch(connection)
        self._leave(connection)
        connection.sock.close()

    def pause(self, connection: Connection, now: float) -> None:
        """Leaves it unread for a while: one that asks again at once, and again, would have the processor refuse."""
        self.unwatch(connection)
        connection.since = now
        self._paused[connection] = None

    def seconds_to_next(self, now: float) -> float:
        """How long the pause of none is over."""
        return self._next_due() - now if self._paused else math.inf

    def resume(self, now: float) -> None:
        """Watches those again whose pause is over."""
        while self._paused and now >= self._next_due():
            self._resume_first(now)

    def resume_all(self, now: float) -> None:
        """Watches all again that are paused."""
        while self._paused:
            self._resume_first(now)

    def next_expired(self, now: float) -> Connection | None:
        """One that has been in its state for too long, if there is any: the same one until its state is another."""
        for state, connections in self._watched.items():
            if connections:
                longest = next(iter(connections))
                if now > longest.since + self._seconds[state]:
                    return longest
        return None

    def make_room(self, now: float) -> None:
        """Drops paused ones whose clients have gone, else the connection that has brought nothing for the longest."""
        if gone := self._gone():
            for connection in gone:
                del self._paused[connection]
                self.drop(connection)
            return
        if self._paused:
            self._resume_first(now)
        for connections in self._watched.values():
            if connections:
                self.drop(next(iter(connections)))
                return

    def _tell(self, connection: Connection) -> None:
        """Tells of it, unless it is being answered, or was dropped to make room for one found with it."""
        if connection in self._states:
            self._on_readable(connection)
        else:
            self._leave(connection)

    def _leave(self, connection: Connection) -> None:
        """Has the poller look at it no more."""
        if connection in self._polled:
            self._poller.unregister(connection.sock)
            self._polled.remove(connection)

    def _gone(self) -> list[Connection]:
        """Of those paused for the longest, whose clients have ended their side. The poller doesn't tell of them."""
        return [connection for connection in islice(self._paused, LOOKED_AT) if connection.is_gone()]

    def _next_due(self) -> float:
        return next(iter(self._paused)).since + PAUSE_SECONDS

    def _resume_first(self, now: float) -> None:
        connection = next(iter(self._paused))
        del self._paused[connection]
        self.watch(connection, State.IDLE, now)
