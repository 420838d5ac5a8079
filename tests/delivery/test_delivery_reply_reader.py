import socket
import threading

import pytest

from newsletter.delivery.reply_reader import ReplyReader


def test_replies_that_come_in_one_packet_are_told_apart() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"250-one\r\n250 two\r\n354 go\n")
        reader = ReplyReader(ours)
        assert reader.read(5) == (250, "one\ntwo")
        assert reader.read(5) == (354, "go")


def test_a_server_that_drips_does_not_extend_the_limit() -> None:
    ours, theirs = socket.socketpair()
    enough = threading.Event()

    def drip() -> None:
        while not enough.wait(0.02):
            theirs.sendall(b"2")

    with ours, theirs:
        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(TimeoutError):
                ReplyReader(ours).read(0.3)
        finally:
            enough.set()
            thread.join()


def test_a_reply_without_end_is_left() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"250-more\r\n" * 200)
        with pytest.raises(OSError, match="too many lines"):
            ReplyReader(ours).read(5)
