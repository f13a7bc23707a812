"""Thin Thespian shells: a handler loads, steps the core, performs what it returns."""
