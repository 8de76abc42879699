"""The Iceberg lake: every reading once, however often its batch arrives."""
