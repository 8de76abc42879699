"""The global engine: one gradient-boosted quantile model for all series of a tenant, a metric and a step."""
