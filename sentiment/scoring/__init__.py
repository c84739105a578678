"""Files in, files out: every row scored, or put aside with its reason."""

from sentiment.scoring.job import Progress, ScoringSummary, score

__all__ = ["Progress", "ScoringSummary", "score"]
