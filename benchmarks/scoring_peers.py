"""One peer of `benchmarks.scoring`, run by the peers' own interpreter; prints the seconds of each counted round.

    python -m benchmarks.scoring_peers NAME IN.csv OUT.csv ROWS PROCESSES REPEATS MODEL

MODEL is our model's folder: its words make DistilBERT's vocabulary, and its tokenizer fastText's input.
"""

import csv
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

Answer = Callable[[Sequence[str]], list[str]]
WORDPIECES = 30_522  # of DistilBERT's own vocabulary
MAX_WORDPIECES = 512
BATCH_ROWS = 32
WARM_UP_ROWS = 3 * BATCH_ROWS  # of the file, before the clock starts


def vader(model: Path, threads: int) -> Answer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()
    return lambda texts: [str(analyzer.polarity_scores(text)["compound"]) for text in texts]


def textblob(model: Path, threads: int) -> Answer:
    from textblob import TextBlob

    return lambda texts: [str(TextBlob(text).sentiment.polarity) for text in texts]


def spacy_textcat(model: Path, threads: int) -> Answer:
    """Build spaCy's text categoriser with its default settings and random weights."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    nlp.add_pipe("textcat")
    cats = {"negative": 1.0, "neutral": 0.0, "positive": 0.0}
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("good film"), {"cats": cats})])

    def answer(texts: Sequence[str]) -> list[str]:
        return [max(doc.cats, key=doc.cats.__getitem__) for doc in nlp.pipe(texts, batch_size=256)]

    return answer


def fasttext(model: Path, threads: int) -> Answer:
    """Build fastText with its default sizes, on our tokens."""
    import fasttext as library

    import sentiment

    tokenizer = sentiment.load(model).warm().tokenizer
    words = json.loads((model / "vocabulary.json").read_text())
    words = [word for word in (words if isinstance(words, list) else list(words)) if isinstance(word, str)][:20_000]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        for place, word in enumerate(words):
            file.write(f"__label__{place % 3} {word} good film\n")
        file.flush()
        classifier = library.train_supervised(file.name, epoch=1, verbose=0, thread=1)

    def answer(texts: Sequence[str]) -> list[str]:
        lines = [" ".join(tokens) + "\n" for tokens, _ in tokenizer.tokenize(texts)]
        labels, _ = classifier.f.multilinePredict(lines, 1, 0.0, "strict")
        return [found[0] if found else "" for found in labels]  # none for a text of unknown words

    return answer


def distilbert_int8(model: Path, threads: int) -> Answer:
    """Build DistilBERT in its real size with random weights, int8 in ONNX Runtime."""
    import numpy as np
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder = Path(tempfile.gettempdir()) / f"sentiment-bench-distilbert-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    if not (folder / "int8.onnx").exists():
        network = _distilbert()
        example = (torch.ones(2, 8, dtype=torch.long), torch.ones(2, 8, dtype=torch.long))
        torch.onnx.export(
            network,
            example,
            str(folder / "float32.onnx"),
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={name: {0: "n", 1: "t"} for name in ("input_ids", "attention_mask")},
            dynamo=False,
        )
        quantize_dynamic(folder / "float32.onnx", folder / "int8.partial.onnx", weight_type=QuantType.QInt8)
        (folder / "int8.partial.onnx").replace(folder / "int8.onnx")
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(folder / "int8.onnx"), settings, providers=["CPUExecutionProvider"])

    def run(token_ids: list[list[int]], mask: list[list[int]]) -> list[int]:
        feed = {"input_ids": np.array(token_ids, np.int64), "attention_mask": np.array(mask, np.int64)}
        return session.run(["logits"], feed)[0].argmax(-1).tolist()

    return _by_batches(model, run)


def distilbert_torch(model: Path, threads: int) -> Answer:
    """Build DistilBERT in torch, in the number format that is faster on the first texts."""
    import torch

    from sentiment.nn.precision import DTYPES

    torch.set_num_threads(threads)

    def in_dtype(dtype: torch.dtype) -> Answer:
        network = _distilbert().to(dtype)

        def run(token_ids: list[list[int]], mask: list[list[int]]) -> list[int]:
            with torch.inference_mode():
                return network(torch.tensor(token_ids), torch.tensor(mask)).argmax(-1).tolist()

        return _by_batches(model, run)

    return quickest({name: in_dtype(dtype) for name, dtype in DTYPES.items()})


def quickest(ways: Mapping[str, Answer]) -> Answer:
    """Return a way to answer that is the quickest of these for the first texts it is given."""
    from sentiment.nn.precision import measure

    chosen: list[Answer] = []

    def answer(texts: Sequence[str]) -> list[str]:
        if not chosen:
            seconds = measure({name: partial(way, texts) for name, way in ways.items()})
            chosen.append(ways[min(seconds, key=seconds.__getitem__)])
        return chosen[0](texts)

    return answer


def _distilbert() -> Any:
    import torch
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    class Logits(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            config = DistilBertConfig(num_labels=3)
            self.network = DistilBertForSequenceClassification(config).eval()

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            return self.network(input_ids=input_ids, attention_mask=attention_mask).logits

    return Logits().eval()


def _by_batches(model: Path, run: Callable[[list[list[int]], list[list[int]]], list[int]]) -> Answer:
    """Predict in batches of similar lengths, padded to their longest, the fastest way."""
    from tokenizers import BertWordPieceTokenizer

    words = json.loads((model / "vocabulary.json").read_text())
    words = [word for word in words if isinstance(word, str) and word.strip() and not word.startswith("<")]
    signs = [chr(code) for code in range(33, 127)]
    pieces = dict.fromkeys(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *signs, *(f"##{sign}" for sign in signs)])
    pieces |= dict.fromkeys(words)
    tokenizer = BertWordPieceTokenizer(
        {piece: place for place, piece in enumerate(islice(pieces, WORDPIECES))}, lowercase=True
    )
    tokenizer.enable_truncation(MAX_WORDPIECES)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    def answer(texts: Sequence[str]) -> list[str]:
        encoded = [each.ids for each in tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(texts)), key=lambda place: len(encoded[place]))
        labels = [""] * len(texts)
        for start in range(0, len(order), BATCH_ROWS):
            places = order[start : start + BATCH_ROWS]
            longest = len(encoded[places[-1]])
            token_ids = [encoded[place] + [0] * (longest - len(encoded[place])) for place in places]
            mask = [[1] * len(encoded[place]) + [0] * (longest - len(encoded[place])) for place in places]
            for place, label in zip(places, run(token_ids, mask), strict=True):
                labels[place] = str(label)
        return labels

    return answer


PEERS: dict[str, Callable[[Path, int], Answer]] = {
    "vader": vader,
    "textblob": textblob,
    "spacy textcat": spacy_textcat,
    "fasttext": fasttext,
    "distilbert int8": distilbert_int8,
    "distilbert torch": distilbert_torch,
}
THREADED = ("distilbert int8", "distilbert torch")  # their libraries share the work of a batch among threads
_answer: Answer | None = None


def _begin(name: str, model: Path) -> None:
    global _answer
    _answer = PEERS[name](model, 1)


def _part(texts: Sequence[str]) -> list[str]:
    assert _answer is not None
    return _answer(texts)


@contextmanager
def _answering(name: str, model: Path, processes: int) -> Iterator[Answer]:
    if processes == 1 or name in THREADED:
        yield PEERS[name](model, processes)
        return
    with multiprocessing.get_context("spawn").Pool(processes, _begin, (name, model)) as pool:

        def answer(texts: Sequence[str]) -> list[str]:
            size = max(1, min(1000, len(texts) // (4 * processes)))
            blocks = [texts[start : start + size] for start in range(0, len(texts), size)]
            return [label for block in pool.map(_part, blocks, chunksize=1) for label in block]

        answer(["good film"] * 2000)  # every process has its model after it
        yield answer


def _records(source: Path, rows: int) -> list[dict[str, str]]:
    with source.open(newline="", encoding="utf-8") as file:
        return list(islice(csv.DictReader(file), rows))


def main(name: str, source: Path, target: Path, rows: int, processes: int, repeats: int, model: Path) -> None:
    """Print the seconds of each counted round, file to file."""
    seconds = []
    with _answering(name, model, processes) as answer:
        answer([record["text"] for record in _records(source, min(rows, WARM_UP_ROWS))])
        for _ in range(repeats):
            started = time.perf_counter()
            records = _records(source, rows)
            labels = answer([record["text"] for record in records])
            with target.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(["id", "text", "label"])
                writer.writerows(
                    [record["id"], record["text"], label] for record, label in zip(records, labels, strict=True)
                )
            seconds.append(time.perf_counter() - started)
    print(json.dumps(seconds))


if __name__ == "__main__":
    rows, processes, repeats = map(int, sys.argv[4:7])
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), rows, processes, repeats, Path(sys.argv[7]))
