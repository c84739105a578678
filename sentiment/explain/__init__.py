"""See inside: which words decided, what the LSTM remembered, sentence by sentence.

Asked for as `classifier.explain(texts)`, `classifier.trace(text)` and `classifier.read_sentences(texts)`.
"""

from sentiment.explain.sentences import Sentence, SentenceView, SplitText
from sentiment.explain.trace import Trace
from sentiment.explain.words import Explanation, Omission, TokenWeight

__all__ = ["Explanation", "Omission", "Sentence", "SentenceView", "SplitText", "TokenWeight", "Trace"]
