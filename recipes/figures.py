"""The figures of docs/how-it-works.md, from a real model's own tensors: `make figures`."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from sentiment.batching import PaddedBatch
from sentiment.classifier import Classifier, load
from sentiment.explain.cell import Reading, read

ROOT = Path(__file__).parents[1]
TEXTS = ("The cast is superb, but the plot is a mess.", "Not bad at all.", "I want my evening back.")
UNITS = 40  # of all hidden units or features, so that one can see them
EXTRA = 60  # tokens of padding
BLUE, GREEN, ORANGE, VIOLET, GREY = "#2a5db0", "#1b7148", "#b03d18", "#7b4ba3", "#5d6570"
STYLE = {
    "font.size": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlesize": 10, "axes.titlelocation": "left",
}  # fmt: skip


class Seen:
    """A few texts, and every tensor on their way through the model."""

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.tokens = [aligned.tokens for aligned in classifier.align(TEXTS)]
        self.batch = PaddedBatch.of([encoded.token_ids for encoded in classifier.encode(TEXTS)])
        with torch.inference_mode():
            self.embedded = classifier.model.embedding(self.batch.token_ids)  # (N, T, F)
            self.readings = read(classifier.model.lstm, self.embedded, self.batch.lengths)
        self.top: list[Reading] = self.readings[-classifier.model.directions :]


def cube(seen: Seen) -> Figure:
    """Return the N x T x F cube: a slice a text, padding where a text has ended."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    for axis, tokens, slice_ in zip(figure.subplots(len(TEXTS), 1), seen.tokens, seen.embedded, strict=True):
        grid = slice_[:, :UNITS].T.clone()  # (F, T)
        grid[:, len(tokens) :] = torch.nan
        axis.imshow(grid, aspect="auto", interpolation="nearest", cmap="RdBu", vmin=-1, vmax=1)
        axis.set_facecolor("#dddddd")
        axis.set_xticks(range(len(slice_)), [*tokens, *["<pad>"] * (len(slice_) - len(tokens))], parse_math=False)
        axis.tick_params(length=0)
        axis.set_yticks([])
        axis.set_ylabel("F")
    figure.supxlabel(f"T: {seen.embedded.shape[1]} tokens of the longest of N = {len(TEXTS)} texts", size=9)
    return figure


def gates(seen: Seen) -> Figure:
    """Return the gates and the memory of single units while the first text is read."""
    tokens, forward = seen.tokens[0], seen.top[0]
    figure = Figure(figsize=(8, 5), layout="constrained")
    panels = {"forget_gate": (0, 1), "input_gate": (0, 1), "output_gate": (0, 1), "c": (-2, 2)}
    order = forward.c[0, len(tokens) - 1].argsort()  # (H,)
    for axis, (name, (low, high)) in zip(figure.subplots(2, 2, sharex=True).flat, panels.items(), strict=True):
        values = getattr(forward, name)[0, : len(tokens)][:, order].T  # (H, T)
        image = axis.imshow(
            values, aspect="auto", interpolation="nearest", cmap="RdBu" if low else "Blues", vmin=low, vmax=high
        )
        axis.set_title("c, the memory" if name == "c" else name.replace("_", " "))
        axis.set_yticks([])
        axis.set_ylabel(f"{values.shape[0]} units")
        _name_tokens(axis, tokens)
        figure.colorbar(image, ax=axis, pad=0.01)
    return figure


def memory(seen: Seen) -> Figure:
    """Draw `c` and `h` through time, of the most active units at the end, in both directions."""
    tokens = seen.tokens[0]
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots(len(seen.top), 1, sharex=True, squeeze=False)[:, 0]
    for axis, reading in zip(axes, seen.top, strict=True):
        c, h = (getattr(reading, name)[0, : len(tokens)] for name in ("c", "h"))  # (T, H)
        heaviest = reading.final(reading.h, seen.batch.lengths)[0].abs().topk(3).indices.tolist()
        for unit, colour in zip(heaviest, (BLUE, ORANGE, GREEN), strict=True):
            axis.plot(c[:, unit], color=colour, label=f"unit {unit}: c")
            axis.plot(h[:, unit], color=colour, linestyle="--", label="h")
        axis.axhline(0, color="grey", linewidth=0.5)
        axis.set_title("backward: read from right to left" if reading.backward else "forward")
        axis.legend(fontsize=7, ncols=3)
        _name_tokens(axis, tokens)
    return figure


def output_and_states(seen: Seen) -> Figure:
    """Draw the place of the two vectors of `ht` in `output`."""
    tokens = seen.tokens[0]
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axis = figure.subplots()
    parts = [reading.h[0, : len(tokens), :UNITS] for reading in seen.top]  # (T, H) each
    both = torch.cat(parts, dim=-1).T  # (2H, T)
    axis.imshow(both, aspect="auto", interpolation="nearest", cmap="RdBu", vmin=-1, vmax=1)
    for place, reading in enumerate(seen.top):
        last = 0 if reading.backward else len(tokens) - 1
        axis.add_patch(
            mpl.patches.Rectangle((last - 0.5, place * UNITS - 0.5), 1, UNITS, fill=False, lw=2.5, ec="black")
        )
    axis.set_yticks([UNITS * (place + 0.5) for place in range(len(parts))])
    axis.set_yticklabels(["forward half,\nht[-2] in the frame", "backward half,\nht[-1] in the frame"][: len(parts)])
    axis.tick_params(length=0)
    _name_tokens(axis, tokens)
    return figure


def padding(seen: Seen) -> Figure:
    """Draw a text's probabilities under padding, with the padding read and without."""
    classifier = seen.classifier
    own = seen.batch.token_ids[0, : seen.batch.lengths[0]].tolist()  # (T,)
    amounts = range(0, EXTRA + 1, 2)
    figure = Figure(figsize=(8, 3), layout="constrained")
    axis = figure.subplots()
    label = classifier.predict(TEXTS[:1])[0].label
    place = classifier.labels.index(label)
    answers: dict[str, list[Tensor]] = {}
    with torch.inference_mode():
        for amount in amounts:
            padded = torch.tensor([own + [0] * amount])  # (N, T)
            embedded = classifier.model.embedding(padded)  # (N, T, F)
            output, (padded_ht, _) = nn.LSTM.forward(classifier.model.lstm, embedded)  # (N, T, 2H), (2L, N, H)
            ht = classifier.model.lstm.final_states(embedded, torch.tensor([len(own)]))  # (2L, N, H)
            for name, final in {
                "ht after each row's own last token": _join(ht, classifier.model.directions),
                "ht of the padded batch": _join(padded_ht, classifier.model.directions),
                "output[:, -1] of the padded batch": output[:, -1],
            }.items():
                logits = classifier.model.classifier(final) / classifier.temperature  # (N, C)
                answers.setdefault(name, []).append(torch.softmax(logits, dim=-1)[0, place])
    for (name, shares), colour in zip(answers.items(), (GREEN, ORANGE, VIOLET), strict=True):
        axis.plot(amounts, shares, color=colour, label=name)
    axis.set_ylim(0, 1)
    axis.set_ylabel(f"probability of {label}")
    axis.set_xlabel(f"tokens of padding behind “{TEXTS[0]}”")
    axis.legend(loc="lower right", bbox_to_anchor=(1, 0.12))
    return figure


def reading(seen: Seen) -> Figure:
    """Draw the weights of the words, and the probabilities up to each."""
    classifier, tokens = seen.classifier, seen.tokens[0]
    [explanation] = classifier.explain(TEXTS[:1])
    running = classifier.trace(TEXTS[0]).running
    figure = Figure(figsize=(8, 4), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    weights = [token.weight for token in explanation.tokens]
    upper.bar(range(len(weights)), weights, color=[BLUE if weight > 0 else GREY for weight in weights])
    upper.axhline(0, color="grey", linewidth=0.5)
    upper.set_ylabel(f"for {explanation.prediction.label}")
    for (label, shares), colour in zip(running.items(), (ORANGE, GREY, GREEN, BLUE, VIOLET), strict=False):
        lower.plot(shares, color=colour, label=label)
    lower.set_ylim(0, 1)
    lower.set_ylabel("probability so far")
    lower.legend()
    _name_tokens(lower, tokens)
    return figure


FIGURES: dict[str, Callable[[Seen], Figure]] = {
    "cube": cube, "gates": gates, "memory": memory, "output": output_and_states, "padding": padding, "reading": reading,
}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw every figure."""
    parser = argparse.ArgumentParser(prog="python -m recipes.figures", description=__doc__)
    parser.add_argument("--model", type=Path, default=ROOT / "models" / "default", help="a model folder")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "figures", help="where the figures go")
    options = parser.parse_args(arguments)
    classifier = load(options.model)
    seen = Seen(classifier)
    options.out.mkdir(parents=True, exist_ok=True)
    with mpl.rc_context(STYLE):
        for name, draw in FIGURES.items():
            figure = draw(seen)
            figure.suptitle(f"{classifier.name} {classifier.version}", size=7, color=GREY, x=0.99, ha="right")
            figure.savefig(options.out / f"{name}.png", dpi=100)


def _join(ht: Tensor, directions: int) -> Tensor:
    return torch.cat(tuple(ht[-directions:]), dim=-1)  # (N, 2H)


def _name_tokens(axis: "mpl.axes.Axes", tokens: Sequence[str]) -> None:
    axis.set_xticks(range(len(tokens)), tokens, rotation=45, ha="right", parse_math=False)


if __name__ == "__main__":
    main()
