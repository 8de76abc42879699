"""Measurements from files, straight into the lake, through the validation that every reading passes."""
