"""See inside: which words decided, what the LSTM remembered, sentence by sentence."""

from sentiment.explain.sentences import Sentence, SentenceView, read_sentences
from sentiment.explain.trace import Trace, trace
from sentiment.explain.words import Explanation, TokenWeight, explain

__all__ = ["Explanation", "Sentence", "SentenceView", "TokenWeight", "Trace", "explain", "read_sentences", "trace"]
