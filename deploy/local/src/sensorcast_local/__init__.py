"""Sensorcast on one machine: emulator, stack, services, simulated fleet and replay."""
