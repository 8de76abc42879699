"""What readings and forecasts mean under rules: the decisions that the alerter takes, and the dry run repeats."""
