"""Checks, before it matters, whether an alert would arrive."""
