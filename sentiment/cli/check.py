"""Check a model against a behaviour suite."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import Answering, app
from sentiment.default import DEFAULT_MODEL

if TYPE_CHECKING:
    from sentiment.evaluation.behaviour.check import Behaviour


@app.command(cls=Answering)
def check(
    model: options.Model = DEFAULT_MODEL,
    suite: Annotated[
        list[str] | None,
        typer.Option(help="YAML file of tests, or `default` for the default suite; repeatable."),
    ] = None,
    examples: Annotated[int, typer.Option(min=0, help="Number of failures to show of each failed test.")] = 1,
    as_json: options.Json = False,
) -> None:
    """Check a model against a behaviour suite: negation, comparisons, names, typos, protected words.

    Exits with 1 if a test fails.
    """
    from sentiment.classifier import load
    from sentiment.evaluation.behaviour import DEFAULT
    from sentiment.evaluation.behaviour.check import check as check_behaviour
    from sentiment.evaluation.behaviour.suite import read_suite

    wanted = read_suite(suite or [DEFAULT])
    classifier = load(model)
    behaviour = check_behaviour(classifier, wanted)
    if as_json:
        typer.echo(json.dumps({"model": classifier.name, "version": classifier.version, **behaviour.as_dict()}))
    else:
        print_behaviour(behaviour, examples)
    if behaviour.missed:
        raise typer.Exit(1)


def print_behaviour(behaviour: "Behaviour", examples: int) -> None:
    """Print what became of each test, and so many failures of each that more cases fail than may."""
    from rich.table import Table
    from rich.text import Text

    from sentiment.terminal.screen import console

    table = Table("test", "cases", "failed", "share", "at most", "")
    for kind in dict.fromkeys(result.kind for result in behaviour.results):
        table.add_section()
        table.add_row(Text(kind, "bold"))
        for result in behaviour.results:
            if result.kind == kind:
                table.add_row(
                    result.name,
                    f"{result.cases:,}",
                    f"{len(result.failures):,}",
                    f"{result.share:.1%}",
                    f"{result.max_failing:.1%}",
                    Text("holds", "green") if result.passed else Text("missed", "red"),
                )
    console.print(table)
    for result in behaviour.missed if examples else ():
        console.print(f"{result.name}, for one:" if examples == 1 else f"{result.name}:")
        for answers in result.failures[:examples]:
            for answer in answers:
                shares = ", ".join(f"{label} {share:.0%}" for label, share in answer.probabilities.items())
                console.print(f"  {shares}: {answer.text}", soft_wrap=True)
    if behaviour.left_out:
        names = ", ".join(behaviour.left_out)
        console.print(f"Left out, as the model has no such label: {names}.")
    console.print(behaviour.summary)
