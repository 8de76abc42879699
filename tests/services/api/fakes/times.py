"""The present of a world, in milliseconds since 1970 UTC."""

NOW = 1_780_000_000_000
DAY = 86_400_000
