"""Rules, incidents and notifications."""
