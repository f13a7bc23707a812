"""Compares what was baked with what was sold: to the topic `surplus` and the shop's stock."""
