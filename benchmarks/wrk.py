"""One load by wrk, on a core of its own: answers a second, and how long the answers took, refusals apart.

Each response is looked at: the first that is not what the server should answer ends the load.
"""

import json
import os
import re
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.responses import LoadError, UnexpectedResponse, probe
from benchmarks.servers import Server, cpu_seconds

LOAD_CORE = 1
SETTLE_SECONDS = 1.0  # wrk leaves while it is being answered, and who comes next must not wait for that
# wrk's own percentiles are of all responses, refusals too. A server that gives a request's id back tells them apart.
SCRIPT = """
local ffi = require("ffi")
ffi.cdef("typedef struct { long seconds, nanoseconds; } moment; int clock_gettime(int clock, moment *read);")
local read, threads = ffi.new("moment"), {}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = io.open(os.getenv("BODY")):read("*a")
answered, refused = {}, 0
local texts, refusal = tonumber(os.getenv("TEXTS")), os.getenv("REFUSAL")

local function milliseconds()
  ffi.C.clock_gettime(1, read)
  return tonumber(read.seconds) * 1e3 + tonumber(read.nanoseconds) / 1e6
end

function setup(thread)
  table.insert(threads, thread)
end

function request()
  wrk.headers["X-Request-ID"] = string.format("%.3f", milliseconds())
  return wrk.format()
end

local function predictions(body)
  local count, place = 0, 0
  repeat
    place = string.find(body, '"probabilities"', place + 1, true)
    count = count + (place and 1 or 0)
  until not place
  return count
end

function response(status, headers, body)
  local asked = headers["X-Request-ID"]
  if status == 200 and predictions(body) == texts then
    if asked then
      table.insert(answered, milliseconds() - asked)
    end
  elseif (status == 503 or status == 429) and refusal and string.find(body, refusal, 1, true) then
    refused = refused + 1
  else
    local file = io.open(os.getenv("UNEXPECTED"), "w")
    file:write(status, "\\n", body)
    file:close()
    os.exit(1)
  end
end

function done(summary, latency)
  local errors, found = summary.errors, threads[1]:get("answered")
  table.sort(found)
  local function percentile(share)
    return found[math.ceil(#found * share / 100)] or latency:percentile(share) / 1e3
  end
  io.write(string.format('{"requests": %d, "seconds": %f, "refused": %d, "failed": %d, "p50": %f, "p99": %f}',
    summary.requests, summary.duration / 1e6, threads[1]:get("refused"),
    errors.connect + errors.read + errors.write + errors.timeout, percentile(50), percentile(99)))
end
"""


@dataclass(frozen=True)
class Load:
    """The load of so many clients, each sending one request after the other."""

    name: str
    clients: int
    texts: Sequence[str]
    overload: bool = False  # refusals are expected


@dataclass(frozen=True)
class Measured:
    """One run of one load: answers a second, and milliseconds; of the server's processor time, too, for each answer."""

    answers: float
    asked: float  # a second, those that were refused too
    p50: float
    p99: float  # of the answers; of all responses where the server gives no request's id back
    cpu: float
    refused: int
    failed: int


def measure(load: Load, server: Server, port: int, pid: int, seconds: float, folder: Path) -> Measured:
    """Return the figures of one run, after one request whose response is checked and a shorter run to warm up.

    Raises UnexpectedResponse for the first response that is neither a prediction of each text nor, under an overload,
    a refusal; LoadError where nothing is answered.
    """
    url = f"http://127.0.0.1:{port}{server.path}"
    probe(server.name, url, load.texts)
    body, script, unexpected = folder / "body.json", folder / "load.lua", folder / "unexpected"
    unexpected.unlink(missing_ok=True)
    body.write_text(json.dumps({"texts": list(load.texts)}))
    script.write_text(SCRIPT)
    environment = os.environ | {"BODY": str(body), "TEXTS": str(len(load.texts)), "UNEXPECTED": str(unexpected)}
    if load.overload:
        environment["REFUSAL"] = server.refusal
    wrk = ["taskset", "-c", str(LOAD_CORE), "wrk", "-t1", f"-c{load.clients}", "--timeout", "60s", "-s", str(script)]
    used_seconds = 0.0
    for duration in (max(1.0, seconds / 4), seconds):
        before = cpu_seconds(pid)
        done = subprocess.run([*wrk, f"-d{duration:.0f}s", url], env=environment, capture_output=True, text=True)
        if unexpected.exists():
            status, _, text = unexpected.read_text("utf-8", errors="replace").partition("\n")
            raise UnexpectedResponse(server.name, int(status), text)
        used_seconds = cpu_seconds(pid) - before
        time.sleep(SETTLE_SECONDS)
    found = re.search(r"\{.*\}", done.stdout)
    if found is None:
        raise LoadError(f"wrk ended with {done.returncode}: {' '.join((done.stdout + done.stderr).split())}")
    counted: dict[str, Any] = json.loads(found[0])
    answers = counted["requests"] - counted["refused"]
    if not answers:
        counts = f"{counted['refused']} requests refused, {counted['failed']} failed"
        raise LoadError(f"{server.name} gave no answer in {seconds:g} s: {counts}")
    return Measured(
        answers / counted["seconds"],
        counted["requests"] / counted["seconds"],
        counted["p50"],
        counted["p99"],
        cpu=1000 * used_seconds / answers,
        refused=counted["refused"],
        failed=counted["failed"],
    )


def median(runs: Sequence[Measured]) -> Measured:
    """Return the median of each figure of these runs; refused and failed are their sums."""
    return Measured(
        answers=statistics.median(run.answers for run in runs),
        asked=statistics.median(run.asked for run in runs),
        p50=statistics.median(run.p50 for run in runs),
        p99=statistics.median(run.p99 for run in runs),
        cpu=statistics.median(run.cpu for run in runs),
        refused=sum(run.refused for run in runs),
        failed=sum(run.failed for run in runs),
    )
