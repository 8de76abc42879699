"""`sensorcast up`: everything on this machine, from a sensor's message to an SMS."""
