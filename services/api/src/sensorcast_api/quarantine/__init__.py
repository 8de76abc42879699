"""Payloads that could not be accepted: kept per tenant, shown, and sent again."""
