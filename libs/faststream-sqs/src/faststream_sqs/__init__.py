"""Amazon SQS and SNS broker for FastStream."""
