"""The fake Kafka client keeps the contract that the fast tests rely on."""

import pytest

from kirby.script.ports import Client
from tests.builders.script_client_contract import ClientContract
from tests.fakes.script_kafka import FakeKafka


class TestFakeClient(ClientContract):
    @pytest.fixture
    def client(self) -> Client:
        return FakeKafka()

    @pytest.fixture
    def topic(self) -> str:
        return "sales"
