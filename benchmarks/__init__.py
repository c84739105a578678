"""What is measured, beside which peer, in one run: `python -m benchmarks.core`."""
