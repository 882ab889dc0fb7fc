# SPDX-License-Identifier: Apache-2.0
"""`ps --watch` as it is installed: what runs, as it changes, on a terminal and as JSON, until nothing runs any more."""
import contextlib
import fcntl
import json
import re
import signal
import struct
import subprocess
import termios

from integration.harness import ODD, STOCKADE
from integration.pty_person import Terminal
from integration.test_network_lifetime import HOLDS, listener

HOME, CLEAR_BELOW = "\x1b[H", "\x1b[J"


def odd(person, name="odd"):
    person.profile(name, {"stockade": 1, "name": name, "version": 1, "command": ODD, "tools": {"allow": ["echo", "ids"], "rate": "1000/min"}})
    person.approve(name)


class Watcher:
    """`ps --watch --json`: an array a line."""

    def __init__(self, person):
        self.p = subprocess.Popen([STOCKADE, "ps", "--watch", "--json"], env=person.env, cwd=person.work, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # pylint: disable=consider-using-with

    def until(self, holds):
        """The first list of which that holds. A list a second comes; a minute is for a machine that is busy."""
        last = None
        for _ in range(60):
            last = json.loads(self.p.stdout.readline())
            assert isinstance(last, list)
            if holds(last):
                return last
        raise AssertionError(last)

    def end(self):
        self.p.send_signal(signal.SIGTERM)
        out, err = self.p.communicate(timeout=60)
        assert (self.p.returncode, err) == (0, ""), (self.p.returncode, out, err)


@contextlib.contextmanager
def watching(person):
    w = Watcher(person)
    try:
        yield w
        w.end()
    finally:
        w.p.kill()
        w.p.wait()


def test_calls_denials_rate_and_memory_are_those_of_now_and_the_end_of_a_session_takes_its_line_away(person):
    odd(person)
    with watching(person) as watcher:
        assert watcher.until(lambda all: True) == []
        w = person.start("odd")
        w.initialize()
        first = watcher.until(lambda all: len(all) == 1)[0]
        assert (first["server"], first["state"], first["calls"], first["denials"], first["rate"]) == ("odd", "running", 0, 0, 0)
        assert first["pid"] == w.p.pid and first["memory"] > 1 << 20 and first["connections"] == {"open": 0, "total": 0}, first
        for _ in range(7):
            w.call("echo", {"text": "x"})
        for _ in range(2):
            assert "error" in (r := w.call("never")) or r["result"]["isError"]
        now = watcher.until(lambda all: all[0]["denials"] == 2)[0]
        assert (now["session"], now["calls"]) == (first["session"], 9) and 7 <= now["rate"] <= 11, now
        with contextlib.ExitStack() as stack:
            second = person.start("odd")
            stack.callback(second.end)
            second.initialize()
            assert len({s["session"] for s in watcher.until(lambda all: len(all) == 2)}) == 2
            assert w.end() == 0
            left = watcher.until(lambda all: len(all) == 1)[0]
            assert left["session"] != first["session"] and left["calls"] == 0
        assert watcher.until(lambda all: not all) == []


def test_connections_are_counted_while_they_are_open(person):
    with listener() as host, watching(person) as watcher:
        port = host.getsockname()[1]
        words = ["--host", f"localhost:{port}", "--", "/usr/bin/python3", "-c", HOLDS, str(port)]
        person.approve(*words)
        wire = person.start(*words)
        peer, _ = host.accept()
        with peer:
            assert watcher.until(lambda all: all and all[0]["connections"]["open"])[0]["connections"] == {"open": 1, "total": 1}
            peer.sendall(b"!")
            wire.end()
        assert watcher.until(lambda all: not all) == []


def test_a_session_that_is_killed_without_a_word_vanishes(person):
    """Nothing of it can take its entry away."""
    odd(person)
    with watching(person) as watcher:
        w = person.start("odd")
        w.initialize()
        watcher.until(lambda all: len(all) == 1)
        w.p.kill()
        assert watcher.until(lambda all: not all) == []
        w.wait()


class Screen:
    """What a terminal shows of a watch: the last frame that is whole."""

    def __init__(self, terminal):
        self.terminal = terminal

    def until(self, pattern):
        for _ in range(60):
            frames = re.findall(re.escape(HOME) + "(.*?)" + re.escape(CLEAR_BELOW), self.terminal.text, re.DOTALL)
            frame = frames[-1].replace("\x1b[K", "").replace("\r", "") if frames else ""
            if re.search(pattern, frame):
                return frame
            self.terminal.text = HOME + self.terminal.text.rpartition(HOME)[2] if frames else self.terminal.text
            self.terminal.read_until(CLEAR_BELOW + HOME if self.terminal.text.endswith(CLEAR_BELOW) else CLEAR_BELOW)
        raise AssertionError(f"never saw {pattern!r}: {self.terminal.text!r}")


def test_on_a_terminal_one_list_is_drawn_over_the_other_and_the_terminal_is_given_back(person):
    odd(person)
    terminal = Terminal([STOCKADE, "ps", "--watch"], person.env, person.work)
    fcntl.ioctl(terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 100, 0, 0))
    screen = Screen(terminal)
    assert "\x1b[?1049h" in terminal.read_until(HOME)
    screen.until("  0 sessions")
    w = person.start("odd")
    w.initialize()
    screen.until(r"  1 session\n(.|\n)* odd +\S+ +0 +0 ")
    for _ in range(3):
        w.call("echo", {"text": "x"})
    w.call("never")
    frame = screen.until(r" odd +\S+ +4 +1 +[345] ")
    assert frame.count("SESSION") == 1 and all(len(line) <= 100 for line in frame.split("\n")), frame
    assert w.end() == 0
    assert "odd" not in screen.until("  0 sessions")
    terminal.text = ""
    terminal.type("\x03")
    assert terminal.wait() == 0
    assert terminal.text.endswith("\x1b[?25h\x1b[?1049l"), repr(terminal.text[-200:])


def test_an_interval_is_a_number_of_seconds_that_is_kept_to(person):
    for value in ("0", "3601", "1.5", "-1", ""):
        assert "1 to 3600 seconds" in person.stockade("ps", "--watch", f"--interval={value}", check=2).stderr, value
    assert "is of --watch" in person.stockade("ps", "--interval", "5", check=2).stderr
