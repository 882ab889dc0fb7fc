# SPDX-License-Identifier: Apache-2.0
"""Hostile programs try to get out; each one's control shows that it gets somewhere when nobody stops it.

The attempts are rows of table.txt: what is tried, where the control runs, and what must happen inside, to the letter.
"""
import os

import pytest
from escape.world import CONTROLS, HERE, World

USUAL = ["--ro", "{data}", "--rw", "{proj}"]
# needed inside too: without it there is nothing to hide
HIDDEN = ("sysrq", "kcore")


def table():
    with open(f"{HERE}/table.txt", encoding="utf-8") as f:
        for line in f:
            if line.strip() and not line.startswith("#"):
                sentence, attempt, control, expected, *grants = (c.strip() for c in line.split("|"))
                yield pytest.param(attempt.split(), control, expected, grants[0].split() if grants else USUAL, id=sentence)


def rows():
    return [pytest.param(*r.values, id=r.id, marks=[pytest.mark.needs(r.values[1])] if r.values[1] in HIDDEN else [])
            for r in table()]


def controls():
    for row in table():
        words, control, _, _ = row.values
        needs = control not in CONTROLS and control != "terminal"
        yield pytest.param(words, "plain" if needs else control, id=row.id, marks=[pytest.mark.needs(control)] if needs else [])


@pytest.fixture
def world():
    w = World()
    yield w
    w.done()


def test_the_table_holds_enough_attempts_and_each_sentence_once():
    sentences = [r.id for r in table()]
    assert len(sentences) >= 80
    assert len(set(sentences)) == len(sentences)


@pytest.mark.parametrize("words, control", list(controls()))
def test_outside_the_attempt_succeeds(world, words, control):
    assert world.control(control, words) == "SUCCEEDED"


@pytest.mark.parametrize("words, _control, expected, grants", rows())
def test_inside(world, words, _control, expected, grants):
    extra = os.open("/dev/null", os.O_RDONLY)
    wire = world.serve(*grants, pass_fds=[extra])
    os.close(extra)
    assert world.inside(wire, words) == expected
    assert wire.call("open-read", {"args": ["/dev/null"]})["result"]["content"][0]["text"] == "SUCCEEDED", "the server lives on"
    wire.end()
