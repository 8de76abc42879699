"""`sensorcast backtest`: the engine on a file of measurements, beside what people use today."""
