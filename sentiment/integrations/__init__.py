"""Doors to other people's tools, each optional: nothing here is imported until it is asked for."""
