"""OpenTelemetry traces; needs the extra `opentelemetry`."""

from faststream_sqs.opentelemetry.middleware import SQSTracingMiddleware

__all__ = ("SQSTracingMiddleware",)
