"""The real Kafka client keeps the same contract as the fake."""

import pytest

from kirby.script.confluent import Confluent
from kirby.script.ports import Client
from tests.builders.script_client_contract import ClientContract

pytestmark = pytest.mark.integration


class TestRealClient(ClientContract):
    @pytest.fixture
    def client(self, kafka: str) -> Client:
        return Confluent({"bootstrap.servers": kafka})

    @pytest.fixture
    def topic(self, topic_prefix: str) -> str:
        return f"{topic_prefix}sales"
