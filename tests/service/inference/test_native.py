"""Native threads, with gevent's patches in a process of its own and without them in this one."""

import subprocess
import sys

PATCHED = """
from gevent import monkey
monkey.patch_all()
import threading, time, gevent
from service.errors import DeadlinePassed
from service.inference.native import NativeThread

native, order = NativeThread("x"), []
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

busy = gevent.spawn(native.run, lambda: sleep(0.2))
gevent.sleep(0)
for deadline in (time.monotonic() + 0.01, time.monotonic() - 1):  # in the queue, and before
    try:
        native.run(lambda: order.append("late"), deadline)
    except DeadlinePassed:
        order.append("passed")
busy.join()
assert order == ["hub", "native", "passed", "passed"]
try:
    native.run(fail)
except KeyError:
    print("raised")
"""


def test_the_hub_serves_others_and_an_error_is_the_callers_alone() -> None:
    run = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("raised\n", "")


TURNS = """
from gevent import monkey
monkey.patch_all()
import gevent, threading
from service.inference.batcher import Batcher

class Classifier:
    sizes = []
    def classify(self, texts):
        self.sizes.append(len(texts))
        return texts

class Text:
    token_ids = [1]

def ask(turns):
    for _ in range(turns):
        gevent.sleep(0)
    batcher.classify(classifier, [Text()], float("inf"))

batcher, classifier = Batcher(100, 100), Classifier()
gevent.joinall([gevent.spawn(ask, turns) for turns in (0, 1, 3)])
print(classifier.sizes)

def spin():
    while not asked.dead:
        gevent.sleep(0)

asked = gevent.spawn(ask, 0)
gevent.joinall([asked, gevent.spawn(spin)])
print(classifier.sizes)
"""


def test_a_batch_waits_for_those_who_are_about_to_ask_but_not_for_ever() -> None:
    run = subprocess.run([sys.executable, "-c", TURNS], capture_output=True, text=True, timeout=60)
    assert (run.stdout, run.stderr) == ("[3]\n[3, 1]\n", "")
