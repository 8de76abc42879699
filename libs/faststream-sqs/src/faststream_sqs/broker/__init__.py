"""The broker and the routers it includes."""
