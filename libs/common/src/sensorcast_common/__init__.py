"""The schema library every Sensorcast service shares: contracts, names, errors and the adapters around them."""
