"""Amazon Forecast: history goes out, a predictor is trained there, and its forecast is asked for series by series."""
