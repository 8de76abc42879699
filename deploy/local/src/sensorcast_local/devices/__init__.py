"""Devices that may connect: a thing on AWS IoT Core, or a client certificate and an ACL entry for Mosquitto."""
