"""The network: it knows token ids and shapes, no files and no vocabulary."""
