"""Predict rows and lay out their answers as columns."""
