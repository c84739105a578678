import socket
import sys

import pytest

from service.listener import begin_no_more

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_who_has_connected_is_accepted_and_nobody_else_connects(family: socket.AddressFamily, host: str) -> None:
    with socket.create_server((host, 0), family=family) as listener:
        where = listener.getsockname()[:2]
        with socket.create_connection(where) as before:
            begin_no_more(listener)
            with pytest.raises(TimeoutError):
                socket.create_connection(where, timeout=0.2)
            accepted, _ = listener.accept()
            with accepted:
                before.sendall(b"ping")
                assert accepted.recv(4) == b"ping"
                accepted.sendall(b"pong")
                assert before.recv(4) == b"pong"


def test_a_socket_of_another_kind_stays_as_it_is() -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        begin_no_more(listener)
