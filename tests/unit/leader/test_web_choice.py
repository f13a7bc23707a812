from kirby.core.web_choice import BACK_AFTER, WebChoice, answered, order

NEAR, FAR, FARTHEST = "http://near:1", "http://far:1", "http://farthest:1"
THREE = WebChoice(urls=(NEAR, FAR, FARTHEST))
MINUTE = BACK_AFTER.total_seconds()


def test_the_nearest_is_asked_first():
    assert order(THREE, 1000.0) == (NEAR, FAR, FARTHEST)


def test_the_one_that_answered_is_asked_first_from_then_on():
    moved = answered(THREE, FAR, 1000.0)

    assert moved.url == FAR
    assert order(moved, 1001.0) == (FAR, FARTHEST, NEAR)


def test_after_a_while_the_nearest_is_tried_again():
    moved = answered(THREE, FAR, 1000.0)

    assert order(moved, 1000.0 + MINUTE) == (NEAR, FAR, FARTHEST)


def test_one_that_failed_again_is_left_alone_for_another_while():
    moved = answered(answered(THREE, FAR, 1000.0), FAR, 1000.0 + MINUTE)

    assert order(moved, 1001.0 + MINUTE)[0] == FAR


def test_the_nearest_is_used_as_soon_as_it_answers_again():
    moved = answered(answered(THREE, FAR, 1000.0), NEAR, 1000.0 + MINUTE)

    assert order(moved, 1001.0 + MINUTE) == (NEAR, FAR, FARTHEST)


def test_where_there_is_none_none_is_asked():
    assert order(WebChoice(urls=()), 0.0) == ()
