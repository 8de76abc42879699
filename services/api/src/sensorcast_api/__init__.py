"""REST, live events and the web page."""
