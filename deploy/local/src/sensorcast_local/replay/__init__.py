"""Real measurements from a CSV file, sent over MQTT as if they were taken now, or as they were taken then."""
