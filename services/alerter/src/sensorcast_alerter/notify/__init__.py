"""The ways by which people and vehicles are told."""
