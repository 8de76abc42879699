"""Runs programs side by side: starts them when they are due, starts those that die again, stops all of them."""
