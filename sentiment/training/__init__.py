"""Labelled tables to a model bundle. Nothing here is imported to answer."""
