# SPDX-License-Identifier: Apache-2.0
"""A profile's version never goes back, its end comes, and a clock that is wrong denies what hangs on time."""
import datetime
import os
import re
import time

import pytest
from harness import ODD

pytestmark = pytest.mark.root


def profile(person, **more):
    return person.profile("odd", {"stockade": 1, "name": "odd", "owner": "team@example.com", "command": ODD, **more})


def start(person, **more):
    """One launch of that profile, approved: its exit status and what it said."""
    profile(person, **more)
    person.approve("odd")
    w = person.start("odd")
    w.initialize()
    assert w.end() == 0, w.err
    return w.err.decode()


def refused(person, *words):
    for command in (("run", *words), ("check", *words), ("approve", "--print-digest", *words)):
        r = person.stockade(*command)
        assert r.returncode == 125, f"{command}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        # what a client may show to its model names nothing that would lift it
        assert command[0] == "check" or not re.search("versions/|remove", r.stderr), r.stderr
    return r.stderr


def in_days(days):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def state(person, name):
    return f"{person.home}/.local/state/stockade/versions/{name}"


def put_clock(person, seconds):
    with open(state(person, "clock"), "w", encoding="ascii") as f:
        f.write(f"{int(seconds)}\n")


def test_an_older_version_than_one_that_was_started_starts_nothing(person):
    start(person, version=4)
    profile(person, version=3)
    words = refused(person, "odd")
    assert "is version 3" in words and "version 4 of 'odd' was started" in words and "team@example.com" in words, words
    assert f"remove {state(person, 'odd.4')}" in person.stockade("check", "odd").stderr
    profile(person)
    assert "has no version" in refused(person, "odd")
    start(person, version=5)


def test_a_look_at_a_profile_remembers_no_version(person):
    profile(person, version=9)
    person.stockade("check", "odd", check=0)
    person.stockade("approve", "--print-digest", "odd", check=0)
    assert not os.path.exists(state(person, "odd.9"))
    start(person, version=2)


def test_the_profile_of_a_file_has_the_versions_of_its_name(person):
    start(person, version=4)
    os.chmod(person.work, 0o755)  # what others may write holds no profiles
    path = person.write("odd.json", '{"stockade": 1, "name": "odd", "version": 3, "command": ["/bin/true"]}')
    assert "is version 3" in refused(person, "--profile", path)


def test_an_expired_profile_starts_nothing_and_the_list_says_so(person):
    profile(person, expires="2020-01-01T00:00:00Z")
    words = refused(person, "odd")
    assert "has expired: it ended on 2020-01-01T00:00:00Z" in words and "team@example.com" in words, words
    r = person.stockade("check", check=1)
    assert "cannot be used" in r.stdout and "has expired" in r.stdout, r.stdout


def test_the_last_thirty_days_of_a_profile_are_said_in_question_check_and_launch(person):
    said = start(person, expires=in_days(29.5))
    assert said.count("the profile expires in 29 days") == 1, said
    assert "expires in 29 days" in person.stockade("check", "odd", check=0).stdout
    assert "expires in 29 days" in person.stockade("approve", "--print-digest", "odd", check=0).stderr
    assert "expires" not in start(person, expires=in_days(32))


def test_a_clock_that_is_behind_the_last_launch_denies_what_expires_and_nothing_else(person):
    start(person, expires=in_days(90))
    put_clock(person, time.time() + 3600)
    words = refused(person, "odd")
    assert "clock cannot be right" in words and "timedatectl" in words, words
    assert f"if the clock is right, remove {state(person, 'clock')}" in person.stockade("check", "odd").stderr
    start(person)
    put_clock(person, time.time() + 300)  # two clocks that are kept right differ by minutes
    start(person, expires=in_days(90))
