"""Forecasts what will be sold tomorrow: from the topic `sales` to the topic `forecast`."""
