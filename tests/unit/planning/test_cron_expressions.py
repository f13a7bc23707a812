import pytest

from kirby.core.errors import InvalidCron
from kirby.core.planning.cron import check_cron, compile_cron


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("*/70 * * * *", "minute 70 is out of range (0-59)"),
        ("70 * * * *", "minute 70 is out of range (0-59)"),
        ("60 0 * * * *", "second 60 is out of range (0-59)"),
        ("0 24 * * *", "hour 24 is out of range (0-23)"),
        ("0 0 0 * *", "day of month 0 is out of range (1-31)"),
        ("0 0 32 * *", "day of month 32 is out of range (1-31)"),
        ("0 0 * 13 *", "month 13 is out of range (1-12)"),
        ("0 0 * * 8", "weekday 8 is out of range (0-7)"),
        ("0 0 * * 1-9", "weekday 9 is out of range (0-7)"),
        ("*/0 * * * *", "minute step 0: a step is at least 1"),
        ("-5 * * * *", 'minute "-5": negative numbers are not allowed'),
        ("5,, * * * *", "minute: a value is missing beside a comma"),
        ("1-2-3 * * * *", 'minute "1-2-3" cannot be read'),
        ("*-5 * * * *", 'minute "*-5" cannot be read'),
        ("5,* * * * *", 'minute "5,*": "*" matches everything, so it stands alone'),
        ("5-5 * * * *", "minute 5-5 begins where it ends: write 5"),
        ("50-10/7 * * * *", "minute 50-10/7: a range that wraps around cannot have a step"),
        ("? * * * *", 'minute "?": "?" stands alone, for the day of month or the weekday'),
        ("0 0 15W * *", 'day of month "15W": neither chance nor working days can be planned'),
        ("R * * * *", 'minute "R": neither chance nor working days can be planned'),
        ("H * * * *", 'minute "H": neither chance nor working days can be planned'),
        ("0 0 * * 5L", 'weekday "5l": the last one of a month is written L5'),
        ("0 0 * * 5#6", "weekday 5#6: a month has the 1st to the 5th of a weekday"),
        (
            "0 0 * * fri,1#2",
            (
                'weekday "fri,1#2" mixes plain days with days of a certain week: '
                "use a schedule for each"
            ),
        ),
        (
            "0 0 * * noday",
            'weekday "noday" is unknown: use 0-7 or sun, mon, tue, wed, thu, fri, sat',
        ),
        (
            "* * * *",
            (
                "it has 4 fields: use five (minute, hour, day of month, month, weekday), "
                "or six with the seconds first"
            ),
        ),
        (
            "0 0 0 * * * 2030",
            (
                "it has 7 fields: use five (minute, hour, day of month, month, weekday), "
                "or six with the seconds first"
            ),
        ),
        ("0 0 30 2 *", "it never fires: none of its months has more than 29 days"),
        ("0 0 31 4,6,9,11 *", "it never fires: none of its months has more than 30 days"),
    ],
)
def test_what_cannot_be_planned_is_refused_with_the_field_and_the_reason(
    text: str, sentence: str
) -> None:
    with pytest.raises(InvalidCron) as refusal:
        check_cron(text)

    assert str(refusal.value) == f'schedule "{text}": {sentence}'


def test_all_faults_of_an_expression_are_told_at_once() -> None:
    with pytest.raises(InvalidCron) as refusal:
        check_cron("61 25 * 13 *")

    assert [fault.sentence.partition(": ")[2] for fault in refusal.value.faults] == [
        "minute 61 is out of range (0-59)",
        "hour 25 is out of range (0-23)",
        "month 13 is out of range (1-12)",
    ]


@pytest.mark.parametrize("text", ["@reboot", "@every 5m", "", "   ", "*" * 2000, "\x00 * * * *"])
def test_what_is_no_expression_at_all_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InvalidCron, match="schedule"):
        check_cron(text)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("@weekly", "0 0 * * 7"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 jan *"),
        ("0 0 ? * ?", "0 0 * * *"),
        ("0 0 * * SUN-TUE", "0 0 * * 0,1,2"),
        ("0 0 * * 5-7", "0 0 * * fri,sat,sun"),
        ("0 0 * * fri-mon", "0 0 * * 5,6,0,1"),
        ("0 22-2 * * *", "0 22,23,0,1,2 * * *"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        ("10-30/10 * * * *", "10,20,30 * * * *"),
        ("0 0 */1 * mon", "0 0 * * mon"),
    ],
)
def test_two_ways_to_write_it_name_the_same_times(text: str, same: str) -> None:
    one, other = compile_cron(text), compile_cron(same)

    assert (one.seconds, one.minutes, one.hours) == (other.seconds, other.minutes, other.hours)
    assert one.days == other.days


@pytest.mark.parametrize("first", range(1, 7))
@pytest.mark.parametrize("step", range(1, 8))
def test_a_stepped_range_of_weekdays_may_end_on_sunday_the_seventh(first: int, step: int) -> None:
    wanted = {day % 7 for day in range(first, 8, step)}

    rule = compile_cron(f"0 0 * * {first}-7/{step}").days

    assert {day for day in range(7) if rule.weekdays >> day & 1} == wanted


@pytest.mark.parametrize(
    ("text", "interval"),
    [
        ("*/10 * * * *", True),
        ("30 * * * *", True),
        ("*/10 2 * * *", True),
        ("30 2 * * *", False),
        ("5,35 1-3 * * *", False),
        ("*/10 30 2 * * *", False),
        ("0 */5 2 * * *", True),
        ("@hourly", True),
    ],
)
def test_an_interval_is_told_from_a_fixed_time_by_its_minute_or_hour(
    text: str, interval: bool
) -> None:
    assert compile_cron(text).is_interval is interval


def test_an_accepted_expression_is_kept_with_single_spaces() -> None:
    assert check_cron("  0   12 *  * MON ") == "0 12 * * MON"
