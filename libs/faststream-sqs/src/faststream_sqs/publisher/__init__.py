"""Publishers of queues and topics."""
