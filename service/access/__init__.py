"""Check API keys, and limit the rate and number of requests."""
