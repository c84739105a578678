"""Predict texts with named models in shared batches; reload and supervise them."""
