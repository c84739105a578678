"""Read bodies, write problems and headers, and build the API's document."""
