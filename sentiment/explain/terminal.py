"""Print a report on a terminal, in colour, or in words where there is no colour."""

from itertools import pairwise

from rich.console import Console
from rich.style import Style
from rich.text import Text

from sentiment.explain.report import Report
from sentiment.explain.trace import MAX_TRACE_TOKENS

BLOCKS = "▁▂▃▄▅▆▇█"
LISTED = 6


def print_report(report: Report, console: Console) -> None:
    """Print the answer, its words, its sentences, and the running probabilities."""
    prediction = report.explanation.prediction
    answer = _plain(console, f"{report.label} {prediction.probabilities[report.label]:.1%}", "bold")
    rest = [f"{label} {share:.1%}" for label, share in prediction.probabilities.items() if label != report.label]
    console.print(answer.append_text(_plain(console, f"   {', '.join(rest)}", "dim")))
    notes = []
    if prediction.unknown_tokens:
        notes.append(f"{prediction.unknown_tokens} of {prediction.tokens} tokens unknown (underlined)")
    if prediction.truncated:
        notes.append("too long: the part struck through was not read")
    if notes:
        console.print("; ".join(notes), style="dim", highlight=False)

    speaking_for, against = report.colours
    _head(console, f"Words: {speaking_for} for {report.label}, {against} against")
    console.print(_words(report, console))
    heaviest = ", ".join(f"{token.text} {token.weight:+.2f}" for token in report.heaviest[:LISTED])
    console.print(f"heaviest, in log-odds: {heaviest}", style="dim", highlight=False, markup=False)

    if len(report.view.sentences) > 1:
        mixed = ": mixed, one clearly positive and one clearly negative" if report.view.mixed else ""
        _head(console, f"Sentences{mixed}")
        width = max(len(sentence.label) for sentence in report.view.sentences)
        for sentence in report.view.sentences:
            shown = " ".join(report.text[sentence.start : sentence.end].split())
            share = sentence.probabilities[sentence.label]
            console.print(f"{sentence.label:<{width}} {share:6.1%}  {shown}", highlight=False, markup=False)

    _head(console, "Probabilities as the text is read")
    if report.trace is None:
        console.print(f"not computed for more than {MAX_TRACE_TOKENS} tokens", style="dim", highlight=False)
        return
    width = max(len(label) for label in report.trace.running)
    for label, running in report.trace.running.items():
        chart = _sparkline(running, max(8, console.width - width - 10))
        console.print(f"{label:<{width}} {chart} {running[-1]:6.1%}", highlight=False, markup=False)
    for turn in report.turns:
        console.print(f"{turn.label} from {turn.token!r} on", style="dim", highlight=False, markup=False)


def _head(console: Console, words: str) -> None:
    """Print a heading: with a line on a terminal, the words alone in a pipe."""
    if console.is_terminal:
        console.rule(words, align="left", style="dim")
    else:
        console.print(words)


def _plain(console: Console, text: str, style: str = "") -> Text:
    """Return text of data as the console shows it, with nothing in it taken for markup."""
    return console.render_str(text, style=style, markup=False, emoji=False, highlight=False)


def _words(report: Report, console: Console) -> Text:
    words = _plain(console, report.text)
    tints = [bytes.fromhex(colour[1:]) for colour in report.colours.values()]
    largest = max(abs(token.weight) for token in report.explanation.tokens) or 1.0
    for token in report.explanation.tokens:
        share = abs(token.weight) / largest
        if share > 0.05:
            tint = tints[token.weight < 0]
            # From nearly black, so that white letters are read on all of them.
            background = "#" + "".join(f"{round(20 + (part - 20) * share):02x}" for part in tint)
            words.stylize(Style(color="white", bgcolor=background, bold=share > 0.5), token.start, token.end)
        if token.unknown:
            words.stylize("underline", token.start, token.end)
    for gap in report.explanation.omitted:
        words.stylize("strike dim", gap.start, gap.end)
    return words


def _sparkline(shares: list[float], width: int) -> str:
    """Draw a character a token; of more tokens than fit, the mean of each range."""
    cuts = [round(place * len(shares) / width) for place in range(width + 1)] if len(shares) > width else None
    if cuts:
        shares = [sum(shares[a:b]) / (b - a) for a, b in pairwise(cuts)]
    return "".join(BLOCKS[min(len(BLOCKS) - 1, int(share * len(BLOCKS)))] for share in shares)
