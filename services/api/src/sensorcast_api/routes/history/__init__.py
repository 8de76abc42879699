"""The past: readings, aggregates and files, from the lake and the hot store in one answer."""
