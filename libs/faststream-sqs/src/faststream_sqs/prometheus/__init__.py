"""Prometheus metrics; needs the extra `prometheus`."""

from faststream_sqs.prometheus.middleware import SQSPrometheusMiddleware

__all__ = ("SQSPrometheusMiddleware",)
