"""Define the routes, one blueprint for each concern."""
