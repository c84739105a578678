"""Measure this library beside others, each comparison in one run: `python -m benchmarks.core`."""
