"""The quotas of SQS and SNS this library works within.

Sources: "Amazon SQS message quotas" in the SQS developer guide, `SendMessageBatch` and `PublishBatch` in the API
references.
"""

MAX_ENTRIES = 10
"""Entries of one batch request, and messages of one receive."""

MAX_SQS_BYTES = 1_048_576
"""Bytes of a message, and of all messages of one `SendMessageBatch`: bodies and attributes together."""

MAX_SNS_BYTES = 262_144
"""The same for `PublishBatch`, unless the topic's `MaximumMessageSize` says otherwise."""

MAX_ATTRIBUTES = 10
"""Message attributes of one message; SNS drops a raw delivery that carries more."""

MAX_VISIBILITY = 43_200
"""Seconds a message can stay invisible, counted from its receipt."""

MAX_WAIT = 20
"""Seconds of a long poll."""

MAX_DELAY = 900
"""Seconds a message can be delayed."""
