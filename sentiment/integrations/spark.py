"""A column of Spark with the answer to each text: a pandas UDF, which gets and gives batches as Arrow."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from pyspark.sql.functions import pandas_udf

from sentiment.classifier import AnyModel, load
from sentiment.default import DEFAULT_MODEL, model_folder
from sentiment.errors import BundleError
from sentiment.scoring import ScoringSettings
from sentiment.scoring.predict.output_columns import OutputColumns
from sentiment.scoring.predict.predict import answer

_TYPES = {str: "string", float: "double", int: "long", bool: "boolean"}


def sentiment_udf(model: str | Path = DEFAULT_MODEL) -> Callable[..., Any]:
    """Return a function from a column of texts to one of structs: what `sentiment score` adds to a row, and `reason`.

    A text that has no answer has a `reason`, and nothing else. Every executor needs this package and the model folder
    at the same path; each of its Python processes reads it once, and answers with one thread. Raises BundleError, there
    too, for a folder that is no model, or not the one that this process reads.
    """
    folder = str(model_folder(model).resolve())
    found = load(folder, task=None)
    version, types = found.version, OutputColumns(found, ScoringSettings()).types
    fields = [f"`{name}` {_TYPES[kind]}" for name, kind in types.items() if isinstance(kind, type)]
    names = [*types, "reason"]

    def sentiment(batches: Iterator[pd.Series]) -> Iterator[pd.DataFrame]:
        model, columns = _load(folder, version)
        for texts in batches:
            yield pd.DataFrame(_rows(model, columns, list(texts)), columns=names, dtype=object)

    return pandas_udf(sentiment, ", ".join([*fields, "`reason` string"]))


@lru_cache(maxsize=1)
def _load(folder: str, version: str) -> tuple[AnyModel, OutputColumns]:
    torch.set_num_threads(1)  # Spark runs a task a core
    model = load(folder, task=None)
    if model.version != version:
        raise BundleError(folder, f"is version {model.version} here, and {version} where the job began")
    return model, OutputColumns(model, ScoringSettings())


def _rows(model: AnyModel, columns: OutputColumns, texts: list[object]) -> list[dict[str, Any]]:
    answers = iter(answer(model, [text for text in texts if isinstance(text, str)]))
    rows: list[dict[str, Any]] = []
    for text in texts:
        found = next(answers) if isinstance(text, str) else "has no text"
        rows.append({"reason": found} if isinstance(found, str) else columns.values(found))
    return rows
