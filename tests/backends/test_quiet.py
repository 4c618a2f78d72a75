import logging
import os

from framefx.backends.quiet import native_chatter


def test_remarks_go_to_the_log(capfd, caplog):
    with caplog.at_level(logging.DEBUG, "framefx"), native_chatter():
        os.write(2, b"INFO: made a delegate\nERROR: something real\n")
    assert capfd.readouterr().err == ""
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.DEBUG, "made a delegate"),
        (logging.WARNING, "something real"),
    ]


def test_everything_else_reaches_the_terminal(capfd):
    with native_chatter():
        os.write(2, b"another thread's words\nINFO: noise\nunfinished")
    assert capfd.readouterr().err == "another thread's words\nunfinished"


def test_an_error_inside_still_gives_the_terminal_back(capfd):
    try:
        with native_chatter():
            raise RuntimeError
    except RuntimeError:
        os.write(2, b"back\n")
    assert capfd.readouterr().err == "back\n"


def test_without_standard_error_nothing_happens():
    kept = os.dup(2)
    os.close(2)
    try:
        with native_chatter():
            pass
    finally:
        os.dup2(kept, 2)
        os.close(kept)
