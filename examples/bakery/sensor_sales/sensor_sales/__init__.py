"""Fetches the shop's sales and sends them to the topic `sales`."""
