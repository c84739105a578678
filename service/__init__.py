"""The library over HTTP: a Flask app that gunicorn runs, with no torch of its own."""
