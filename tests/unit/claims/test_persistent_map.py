"""The map that is never changed."""

from hypothesis import given
from hypothesis import strategies as st

from kirby.core.claims.persistent import PersistentMap

KEYS = st.sampled_from([f"job{n}/prod" for n in range(300)])
CHANGES = st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers())), max_size=400)


@given(CHANGES)
def test_it_holds_what_a_dictionary_would(changes: list[tuple[str, int | None]]) -> None:
    expected: dict[str, int] = {}
    found: PersistentMap[str, int] = PersistentMap()

    for key, value in changes:
        if value is None:
            expected.pop(key, None)
            found = found.drop(key)
        else:
            expected[key] = value
            found = found.put(key, value)

    assert dict(found.items()) == expected
    assert len(found) == len(expected)


def test_the_map_before_a_change_stays_as_it_was() -> None:
    before: PersistentMap[str, int] = PersistentMap()

    after = before.put("pump/prod", 1)

    assert len(before) == 0
    assert after.get("pump/prod") == 1
