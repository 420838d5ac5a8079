"""A role's process that `newsletter run` forks, told to end before it has begun."""

import multiprocessing
import os
import threading
from pathlib import Path

import pytest

from newsletter.cli.run_commands import _play


@pytest.mark.parametrize("told", [False, True])
def test_a_role_that_is_told_to_end_while_it_is_forked_does_not_begin(
    tmp_path: Path, told: bool
) -> None:
    stop = threading.Event()
    if told:
        stop.set()
    began = tmp_path / "began"
    lifeline = os.pipe()

    def play(_config: Path) -> None:
        began.touch()

    fork = multiprocessing.get_context("fork")
    role = fork.Process(target=_play, args=(play, tmp_path, lifeline, stop))
    role.start()
    role.join(20)
    for end in lifeline:
        os.close(end)
    assert role.exitcode == 0
    assert began.exists() is not told
