"""A simulated fleet of refrigerated trucks: physics in, readings out, the same for the same seed."""
