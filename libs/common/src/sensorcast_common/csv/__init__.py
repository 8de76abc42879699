"""Measurements in CSV files: how a file is written, which series its columns are, and what its rows say."""
