"""Define the schemas of requests and responses, for validation and for the API document."""
