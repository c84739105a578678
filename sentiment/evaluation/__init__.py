"""How good a model is, and how honest its probabilities are."""
