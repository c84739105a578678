"""Read and write formats of text lines: CSV, TSV, JSON lines, plain text."""
