"""Files in, files out: every row scored, or put aside with its reason."""

from sentiment.scoring.job import Progress, ScoringSummary, score
from sentiment.scoring.settings import ScoringSettings

__all__ = ["Progress", "ScoringSettings", "ScoringSummary", "score"]
