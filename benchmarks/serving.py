"""The service beside the same app without batching and beside other servers: `python -m benchmarks.serving`.

The server has one core, wrk the other. Each server is started, asked and stopped, in turns, several times over; the
figures are medians. What others made lives in an environment of its own (`make bench-peers`): with `--peers`, the
same model behind servers of models; with `--wsgi`, the same app on other servers of WSGI.
"""

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.responses import LoadError
from benchmarks.servers import Server, free_port, ours, peers, running, wsgi_servers
from benchmarks.workloads import bundle_to_measure, generated_texts, real_texts
from benchmarks.wrk import Load, Measured, measure, median
from sentiment import bundle as bundles
from sentiment.bundle import Bundle
from sentiment.classifier import Classifier
from sentiment.default import DEFAULT_MODEL

SHORT_TEXT = "Not bad at all, I would watch it again."


def loads(review: str) -> list[Load]:
    """Return one short text by more and more clients, lists, and long texts.

    Of 400 clients and of 960, most are refused, ask again at once, and never wait as Retry-After says. How much they
    ask is what the server makes of it, and is printed: it is to be about ten times the most that is answered.
    """
    return [
        *(Load("one short text", clients, [SHORT_TEXT]) for clients in (1, 8, 32, 128)),
        *(Load("one short text", clients, [SHORT_TEXT], overload=True) for clients in (400, 960)),
        *(Load("a list of 32", clients, [SHORT_TEXT] * 32) for clients in (1, 8)),
        *(Load("a review of 300 tokens", clients, [review]) for clients in (1, 32)),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what was measured. Ends with an error at the first response that is not what a server should answer."""
    options = _parser().parse_args(arguments)
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: apt-get install wrk")

    def asked(port: int) -> list[Server]:
        return ours() + (peers(port) if options.peers else []) + (wsgi_servers(port) if options.wsgi else [])

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        bundle = bundle_to_measure(options.model)
        model = folder / "model"
        bundles.save(bundle if bundle.golden else _with_golden(bundle), model)
        texts = real_texts(options.data) if options.data else generated_texts(bundle.vocabulary)
        review = _review(" ".join(next(iter(texts.values()))).split())
        results: dict[tuple[str, int], dict[str, list[Measured]]] = {}
        for _ in range(options.repeats):
            for number in range(len(asked(0))):
                port = free_port()
                server = asked(port)[number]
                with running(server, port, model) as pid:
                    for load in loads(review):
                        try:
                            found = measure(load, server, port, pid, options.seconds, folder)
                        except LoadError as error:
                            sys.exit(f"{load.name}, {load.clients} clients: {error}")
                        results.setdefault((load.name, load.clients), {}).setdefault(server.name, []).append(found)
    medians = {key: {name: median(runs) for name, runs in by_name.items()} for key, by_name in results.items()}
    if options.json:
        rows = [{"load": name, "clients": clients, **found} for (name, clients), found in medians.items()]
        print(json.dumps(rows, default=vars))
    else:
        _print(medians)


def _with_golden(bundle: Bundle) -> Bundle:
    (found,) = Classifier(bundle).predict([SHORT_TEXT])
    return replace(bundle, golden=({"text": SHORT_TEXT, "probabilities": found.probabilities},))


def _review(words: Sequence[str]) -> str:
    return " ".join(words[:300])


def _print(medians: Mapping[tuple[str, int], Mapping[str, Measured]]) -> None:
    table = Table(
        "load", "clients", "server", "answers/s", "asked/s", "p50 ms", "p99 ms", "CPU ms", "refused", "failed"
    )
    for (name, clients), by_server in medians.items():
        for server, found in by_server.items():
            figures = (
                f"{found.answers:,.0f}",
                f"{found.asked:,.0f}",
                f"{found.p50:.1f}",
                f"{found.p99:.1f}",
                f"{found.cpu:.2f}",
            )
            table.add_row(name, str(clients), server, *figures, str(found.refused), str(found.failed))
        table.add_section()
    Console(width=120).print(table)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=DEFAULT_MODEL)
    parser.add_argument("--data", type=Path, help="a folder of real texts; else they are generated")
    parser.add_argument("--peers", action="store_true", help="LitServe and BentoML too")
    parser.add_argument("--wsgi", action="store_true", help="the same app on other WSGI servers, too")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each load of each repeat")
    parser.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    main()
