"""The made-up readers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.demo.readers import made_up_readers
from newsletter.subscribers.address import normalise_address


@pytest.mark.parametrize("count", [0, 1, 200, 30_000])
def test_as_many_as_asked_for_and_no_address_twice(count: int) -> None:
    readers = made_up_readers(count)
    assert len(readers) == count
    assert len({address for _, address in readers}) == count


@settings(max_examples=20)
@given(st.integers(0, 300), st.integers(0, 300))
def test_a_smaller_list_is_the_beginning_of_a_larger_one(few: int, more: int) -> None:
    few, more = sorted((few, more))
    assert made_up_readers(more)[:few] == made_up_readers(few)


def test_addresses_can_belong_to_nobody() -> None:
    readers = made_up_readers(200)
    assert len({address.partition("@")[2] for _, address in readers}) >= 5
    for name, address in readers:
        assert address.endswith(".example")
        assert name.split()[0].lower() in address
        assert normalise_address(address) == address
    # As varied as a real list: hardly a name comes again among two hundred.
    assert len({name for name, _ in readers}) == 200
