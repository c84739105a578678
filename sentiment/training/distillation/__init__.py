"""Train a small model from what a larger encoder says of texts."""
