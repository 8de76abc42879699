"""The state of a whole fleet in few requests: last values, sparklines, risks and open incidents."""
