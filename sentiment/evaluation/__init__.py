"""Measure how accurate a model is and how well calibrated."""
