"""The end of a listening socket, without losing the connections that the kernel takes in at the last moment.

Closing it resets what waits in its queue. So the last to close it first lets nobody new begin, by a filter that drops
the packet every connection begins with; then the queue can be emptied for good.
"""

import contextlib
import ctypes
import socket
import struct
import sys

SETTLE_SECONDS = 0.2  # for connections that have begun: one round trip

_SO_ATTACH_FILTER = 26
_LOAD_FLAGS = (0x30, 0, 0, 13)  # of the TCP header
_MASK_SYN_ACK = (0x54, 0, 0, 0x12)
_IS_SYN = (0x15, 0, 1, 0x02)
_DROP = (0x06, 0, 0, 0)
_KEEP = (0x06, 0, 0, 0xFFFFFFFF)


def begin_no_more(listener: socket.socket) -> None:
    """Nothing. From now on nobody connects, in any process that shares it, and those who have can be accepted."""
    if sys.platform != "linux" or listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    steps = b"".join(struct.pack("HBBI", *step) for step in (_LOAD_FLAGS, _MASK_SYN_ACK, _IS_SYN, _DROP, _KEEP))
    program = ctypes.create_string_buffer(steps)
    with contextlib.suppress(OSError):  # not allowed here: then the last moment is short, if not none
        listener.setsockopt(
            socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", len(steps) // 8, ctypes.addressof(program))
        )
