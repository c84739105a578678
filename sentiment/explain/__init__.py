"""Explain answers: which words decided, the sentences, and the states of the LSTM.

Use `classifier.explain(texts)`, `classifier.trace(text)` and `classifier.read_sentences(texts)`.
"""

from sentiment.explain.attribution import Explanation, Omission, TokenWeight
from sentiment.explain.sentences import Sentence, SentenceView, SplitText
from sentiment.explain.trace import Trace

__all__ = ["Explanation", "Omission", "Sentence", "SentenceView", "SplitText", "TokenWeight", "Trace"]
