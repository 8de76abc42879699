"""Subscribers of queues."""
