"""Receives, holds and settles SQS messages; knows nothing of FastStream's handlers."""
