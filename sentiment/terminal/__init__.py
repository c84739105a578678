"""Print results and progress on a terminal, and in a pipe."""
