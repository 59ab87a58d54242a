"""A state moves through its table or not at all."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protonpay.kernel.states import IllegalMove, StateMachine

LAMP = StateMachine("lamp", initial="OFF", moves={"OFF": ("ON",), "ON": ("OFF", "BROKEN")})


def test_lists_every_state_once_beginning_with_the_initial_one():
    assert LAMP.states == ("OFF", "ON", "BROKEN")
    assert LAMP.terminal == {"BROKEN"}


def test_allows_the_moves_of_its_table_and_no_others():
    allowed = {move for move in itertools.product(LAMP.states, repeat=2) if LAMP.may(*move)}
    assert allowed == {("OFF", "ON"), ("ON", "OFF"), ("ON", "BROKEN")}


@pytest.mark.parametrize("move", [("OFF", "BROKEN"), ("BROKEN", "ON"), ("ON", "ON"), ("", "ON")])
def test_an_illegal_move_is_a_bug_that_names_itself(move: tuple[str, str]):
    with pytest.raises(IllegalMove, match=f"lamp: {move[0]} -> {move[1]}"):
        LAMP.check(*move)


def test_a_legal_move_passes_in_silence():
    LAMP.check("ON", "BROKEN")


def test_the_diagram_shows_beginning_moves_and_ends():
    assert LAMP.as_mermaid().splitlines() == [
        "stateDiagram-v2",
        "    [*] --> OFF",
        "    OFF --> ON",
        "    ON --> OFF",
        "    ON --> BROKEN",
        "    BROKEN --> [*]",
    ]


names = st.sampled_from("ABCDE")
tables = st.dictionaries(names, st.lists(names, max_size=3, unique=True).map(tuple))


@settings(deadline=None)
@given(names, tables)
def test_any_table_makes_a_machine_whose_ends_nothing_leaves(initial: str, moves):
    machine = StateMachine("any", initial, moves)
    assert machine.states[0] == initial
    assert len(set(machine.states)) == len(machine.states)
    assert set(machine.states) == {initial, *moves, *itertools.chain(*moves.values())}
    for end in machine.terminal:
        assert not any(machine.may(end, state) for state in machine.states)
