"""Serve the library over HTTP with Flask and gunicorn. Nothing here imports torch."""
