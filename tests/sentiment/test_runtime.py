import os
import subprocess
import sys

import pytest

from sentiment.runtime import limit_onednn_cache, limit_openmp_spin

NAMES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY")


@pytest.mark.parametrize(
    ("environment", "spins"),
    [
        ({}, {"GOMP_SPINCOUNT": "1000"}),
        ({"GOMP_SPINCOUNT": "7"}, {}),
        ({"OMP_WAIT_POLICY": "active"}, {}),
        ({"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "9"}, {"GOMP_SPINCOUNT": "1000"}),
    ],
)
def test_limits_unless_the_environment_has_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], spins: dict[str, str]
) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that what is set here is undone
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    limit_openmp_spin()
    limit_onednn_cache()
    expected = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128"} | environment | spins
    assert {name: os.environ[name] for name in NAMES if name in os.environ} == expected


def test_a_fork_computes_with_one_thread() -> None:
    program = """
import os, sentiment, signal, torch
torch.set_num_threads(2)
torch.rand(1_000_000).sigmoid()  # starts the other thread
if os.fork() == 0:
    signal.alarm(60)
    torch.rand(1_000_000).sigmoid()
    os._exit(torch.get_num_threads())
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""
    assert subprocess.check_output([sys.executable, "-c", program]) == b"1\n"


def test_importing_the_library_limits_openmp() -> None:
    program = "import os, sentiment; print(os.environ['GOMP_SPINCOUNT'])"
    environment = {name: value for name, value in os.environ.items() if name not in NAMES}
    assert subprocess.check_output([sys.executable, "-c", program], env=environment) == b"1000\n"
