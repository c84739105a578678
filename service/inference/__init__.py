"""From texts to predictions: the models by name, their common batches, and what becomes of both."""
