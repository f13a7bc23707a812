"""Kafka: connection, topics, readers, producers, the leader's transactions; the embedded broker.

The only home of confluent-kafka on the side of the server.
"""
