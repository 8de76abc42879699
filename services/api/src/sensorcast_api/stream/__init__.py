"""Live events: what is published is fanned out to the streams that watch it."""
