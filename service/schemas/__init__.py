"""The schemas of requests and responses: what is checked, what is answered and what the API document says."""
