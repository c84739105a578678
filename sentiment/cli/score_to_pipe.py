"""Scoring into a pipe: nothing but answers on standard output, what is rejected on standard error."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sentiment.cli.abstaining import threshold_of
from sentiment.cli.engines import load_in_dtype
from sentiment.errors import DataError
from sentiment.events import BROKEN_PIPE, discard_output

if TYPE_CHECKING:
    from sentiment.scoring import ScoringSettings


def score_to_pipe(
    model: Path, dtype: str, inputs: list[str], settings: "ScoringSettings", abstain: float | None
) -> int:
    """Score a pipe and return the number of rejected rows."""
    from sentiment.scoring import pipe

    for stream, name in ((sys.stdin, "input"), (sys.stdout, "output"), (sys.stderr, "error")):
        if stream is None:
            raise DataError(f"-: standard {name} is closed; rows come and go through it")
    try:
        classifier = load_in_dtype(model, dtype)
        if abstain is not None:
            settings = replace(settings, threshold=threshold_of(abstain, classifier))
        output, rejects = sys.stdout.buffer, sys.stderr.buffer
        _, rejected = pipe.score_to_pipe(classifier, inputs, sys.stdin.fileno(), output, rejects, settings)
    except BrokenPipeError:
        discard_output()  # or Python would complain at its exit
        sys.exit(BROKEN_PIPE)
    except OSError as error:
        discard_output()
        raise DataError(f"-: {error.strerror}; the output is incomplete; run it again") from None
    return rejected
