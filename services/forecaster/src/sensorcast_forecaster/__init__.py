"""Forecasts of every active series."""
