"""Export a model as ONNX."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import options
from sentiment.cli.application import app
from sentiment.default import DEFAULT_MODEL
from sentiment.errors import ConfigError


@app.command()
def export(
    onnx: Annotated[Path, typer.Option(help="ONNX file to write; it must not exist.")],
    model: options.Model = DEFAULT_MODEL,
    int8: Annotated[
        bool, typer.Option("--int8", help="Quantize the LSTM's weights to 8 bits: smaller, but not exact.")
    ] = False,
) -> None:
    """Export a model as one ONNX file, for machines without torch."""
    if onnx.exists():
        raise ConfigError(f"--onnx: {onnx} is there already; give another name, or remove it")
    from sentiment.classifier import load
    from sentiment.integrations.onnx_export import export as export_onnx
    from sentiment.terminal.screen import console

    figures = export_onnx(load(model), onnx, int8=int8)
    console.print(f"written: {onnx}, {figures.bytes:,} bytes", soft_wrap=True)
    console.print(
        f"probabilities on {figures.rows} ragged rows: at most {figures.gap:.1e} from the model's, "
        f"{figures.batch_gap:.1e} between alone and in a batch"
    )
