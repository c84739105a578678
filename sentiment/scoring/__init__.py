"""Score files into files: every row is scored, or rejected with a reason."""

from sentiment.scoring.job import Progress, ScoringSummary, score
from sentiment.scoring.settings import ScoringSettings

__all__ = ["Progress", "ScoringSettings", "ScoringSummary", "score"]
