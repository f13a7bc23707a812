"""Decides what is baked: from the topic `forecast` to the topic `production` and the shop."""
