"""The routes, a blueprint for each concern: a request checked, the model asked, the answer written."""
