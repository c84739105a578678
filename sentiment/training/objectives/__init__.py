"""Compute targets, scores and bundles of each task."""
