"""Train model bundles from labelled tables. Nothing here is imported for inference."""
