"""What is asked of the past: one answer from the lake and the hot store, without a seam between them."""
