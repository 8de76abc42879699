"""How the pipeline is: what waits, what was set aside, how fresh readings and forecasts are, how models did."""
