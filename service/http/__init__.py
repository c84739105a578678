"""HTTP as every route uses it: bodies in, problems and headers out, and the API's document."""
