"""Queues that wait and mailboxes that forget."""

import threading

import pytest

from framefx.channel import Channel, ChannelClosed


def drain(channel):
    items = []
    try:
        while True:
            items.append(channel.get())
    except ChannelClosed:
        return items


def test_a_queue_keeps_everything_in_order():
    channel = Channel(2, newest_wins=False)
    sender = threading.Thread(target=lambda: ([channel.put(i) for i in range(100)], channel.close()))
    sender.start()
    assert drain(channel) == list(range(100))
    assert channel.dropped == 0


def test_a_mailbox_keeps_the_newest_and_counts_the_rest():
    channel = Channel(1, newest_wins=True)
    for number in range(5):
        assert channel.put(number)
    channel.close()
    assert drain(channel) == [4]
    assert channel.dropped == 4


def test_nothing_enters_a_closed_channel():
    channel = Channel(1, newest_wins=True)
    channel.close()
    assert not channel.put(1)
    assert drain(channel) == []


def test_closing_frees_a_sender_that_waits_for_room():
    channel, results = Channel(1, newest_wins=False), []
    channel.put(0)
    sender = threading.Thread(target=lambda: results.append(channel.put(1)))
    sender.start()
    channel.close()
    sender.join(10)
    assert results == [False]
    assert drain(channel) == [0]


def test_closing_frees_a_reader():
    channel, results = Channel(1, newest_wins=True), []
    reader = threading.Thread(target=lambda: results.append(drain(channel)))
    reader.start()
    channel.close()
    reader.join(10)
    assert results == [[]]


def test_a_reader_s_patience_ends():
    with pytest.raises(TimeoutError):
        Channel(1, newest_wins=True).get(0.0)


def test_closing_frees_every_reader():
    channel, results = Channel(1, newest_wins=False), []
    readers = [threading.Thread(target=lambda: results.append(drain(channel))) for _ in range(3)]
    for reader in readers:
        reader.start()
    channel.close()
    for reader in readers:
        reader.join(10)
    assert results == [[], [], []]


def test_what_was_put_before_the_close_is_found():
    for _ in range(200):
        channel, results = Channel(4, newest_wins=False), []
        reader = threading.Thread(target=lambda c=channel, r=results: r.extend(drain(c)))
        reader.start()
        kept = [number for number in range(5) if channel.put(number)]
        channel.close()
        reader.join(10)
        assert results == kept == list(range(5))
