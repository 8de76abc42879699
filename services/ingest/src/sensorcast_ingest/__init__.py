"""MQTT messages in, validated reading batches out to SNS."""
