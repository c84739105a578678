"""Losses, figures and outputs of each task."""
