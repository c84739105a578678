"""Native threads, with gevent's patches in a process of its own and without them in this one."""

import subprocess
import sys
import threading

import pytest

from service.inference.native import NativeThread

PATCHED = """
from gevent import monkey
monkey.patch_all()
import threading, time, gevent
from service.inference.native import NativeThread

native, order = NativeThread(), []
ident = monkey.get_original("_thread", "get_ident")
sleep = monkey.get_original("time", "sleep")

def look():
    while not order:
        sleep(0.001)
    order.append("native")
    return ident()

gevent.spawn(order.append, "hub")
assert native.run(look) != ident()
assert order == ["hub", "native"]

def fail():
    raise KeyError("zyzzyvasecret")

try:
    native.run(fail)
except KeyError:
    print("raised")
"""


def test_the_hub_serves_others_and_an_error_is_the_callers_alone() -> None:
    run = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("raised\n", "")


def test_where_nothing_is_patched_the_callers_thread_makes_the_call() -> None:
    assert NativeThread().run(threading.get_ident) == threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        NativeThread().run(lambda: 1 // 0)
