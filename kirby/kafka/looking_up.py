"""Which offset is that? Turns every position of a reader into a number."""

from collections.abc import Mapping

from kirby.kafka.asking import Beginnings, Question, StableEnds
from kirby.kafka.queries import offsets_of
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning, End, Partition, Position, Since


def look_up(
    settings: KafkaSettings, wanted: Mapping[Partition, Position], limit_s: float
) -> dict[Partition, int]:
    """Ask for the offsets that are not numbers yet.

    By a client that comes and goes: on a consumer's own connection, each question would wait
    behind a fetch that finds nothing.

    Raises:
        KafkaError: no answer in time.
    """
    found = {place: at for place, at in wanted.items() if isinstance(at, int)}
    for question, places in _questions(wanted).items():
        topics = dict.fromkeys(topic for topic, _ in places)
        answer = offsets_of(settings, question, topics, limit_s=limit_s)
        found |= {place: answer[place[0]][place[1]] for place in places}
    return found


def _questions(wanted: Mapping[Partition, Position]) -> dict[Question, list[Partition]]:
    questions: dict[Question, list[Partition]] = {}
    for place, position in wanted.items():
        match position:
            case Beginning():
                questions.setdefault(Beginnings(), []).append(place)
            case End():
                questions.setdefault(StableEnds(), []).append(place)
            case Since():
                questions.setdefault(position, []).append(place)
    return questions
