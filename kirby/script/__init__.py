"""What a script imports: its variables, its topics, its log.

This package lands in the environment of every script, so it takes only the standard library,
msgspec and confluent-kafka, and loads the last two when the first topic is opened.
"""
