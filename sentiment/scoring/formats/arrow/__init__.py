"""Read and write typed tables: Parquet, Arrow, Feather."""
