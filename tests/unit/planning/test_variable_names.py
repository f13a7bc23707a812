import pytest

from kirby.core.errors import InvalidVariable
from kirby.core.nouns import Variable
from kirby.core.variables import check_variable_name, check_variable_value, merge_scopes


def scope(*variables: Variable) -> dict[str, Variable]:
    return {variable.name: variable for variable in variables}


@pytest.mark.parametrize("name", ["SALES_URL", "A", "X9", "A__B"])
def test_upper_case_names_are_taken(name: str) -> None:
    assert check_variable_name(name) == name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        (
            "sales_url",
            'use A-Z, 0-9 and "_", beginning with a letter; did you mean SALES_URL?',
        ),
        ("sales-url", 'use A-Z, 0-9 and "_", beginning with a letter; did you mean SALES_URL?'),
        ("9LIVES", 'use A-Z, 0-9 and "_", beginning with a letter'),
        ("", 'use A-Z, 0-9 and "_", beginning with a letter'),
        ("A=B\n", 'use A-Z, 0-9 and "_", beginning with a letter; did you mean A_B?'),
        ("KIRBY_RUN_ID", "names that begin with KIRBY_ are Kirby's"),
    ],
)
def test_other_names_are_refused_with_the_rule(name: str, sentence: str) -> None:
    with pytest.raises(InvalidVariable) as refusal:
        check_variable_name(name)

    assert str(refusal.value) == f'variable "{name}": {sentence}'


@pytest.mark.parametrize("value", ["hunter\x0022", "hunter22" * 20_000])
def test_a_value_that_no_environment_can_hold_is_refused_without_showing_it(value: str) -> None:
    with pytest.raises(InvalidVariable, match="SHOP_TOKEN") as refusal:
        check_variable_value("SHOP_TOKEN", value)

    assert "hunter" not in str(refusal.value)


def test_the_narrower_scope_wins_and_names_come_in_order() -> None:
    everywhere = scope(Variable(name="URL", value="global"), Variable(name="ZONE", value="global"))
    job = scope(Variable(name="URL", value="job", sealed=True))
    context = scope(Variable(name="BATCH", value="context"))

    merged = merge_scopes(everywhere, job, context)

    assert [(each.name, each.value, each.sealed) for each in merged] == [
        ("BATCH", "context", False),
        ("URL", "job", True),
        ("ZONE", "global", False),
    ]
