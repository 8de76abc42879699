"""Engines other than the built-in one: they give quantiles per step, from which forecasts with paths are made here."""
