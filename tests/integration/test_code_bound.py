# SPDX-License-Identifier: Apache-2.0
"""A profile that has the digests of its code starts that code and no other."""
import json
import os
import re
import shutil

import pytest
from harness import SERVERS

pytestmark = pytest.mark.root

ZERO = "blake2b:" + 64 * "0"


@pytest.fixture
def server(person):
    """A server in a directory of the person's own, which nothing else can write."""
    srv = f"{person.base}/srv"
    os.mkdir(srv, 0o755)
    shutil.copy(f"{SERVERS}/odd.py", f"{srv}/odd.py")
    os.chmod(f"{srv}/odd.py", 0o644)
    return f"{srv}/odd.py"


def profile(person, server, code):  # pylint: disable=redefined-outer-name
    person.profile("odd", {"stockade": 1, "name": "odd", "command": ["/usr/bin/python3", "-P", server], **({"code": code} if code else {})})


def refused(person):
    r = person.stockade("check", "odd")
    assert r.returncode == 125, f"{r.stdout}\n{r.stderr}"
    assert person.stockade("run", "odd").returncode == 125
    return r.stderr


def bind(person, server):  # pylint: disable=redefined-outer-name
    """The profile with the digests that the refusals name."""
    code = {}
    profile(person, server, None)
    trees = [line["text"] for line in json.loads(person.stockade("check", "--json", "odd", check=0).stdout)["lines"]
             if line["kind"] == "code"]
    for tree in trees:
        code[tree] = ZERO
    while True:
        profile(person, server, code)
        r = person.stockade("check", "odd")
        if r.returncode == 0:
            return code
        path, digest = re.search(r"the code (\S+) is not what the profile binds .* is (blake2b:[0-9a-f]{64}) and not", r.stderr).groups()
        assert code[path] == ZERO, r.stderr
        code[path] = digest


def test_the_code_that_the_profile_binds_is_started_and_shown_with_its_digest(person, server):
    code = bind(person, server)
    assert code
    told = " ".join(person.stockade("check", "odd", check=0).stdout.split())
    assert all(f"the code {path} is {digest}" in told for path, digest in code.items()), told
    person.approve("odd")
    w = person.start("odd")
    w.initialize()
    assert w.end() == 0, w.err


def test_one_byte_more_in_the_code_starts_nothing(person, server):
    bind(person, server)
    with open(server, "a", encoding="utf-8") as f:
        f.write("\n")
    assert "is not what the profile binds" in refused(person)


def test_code_that_the_profile_does_not_have_starts_nothing(person, server):
    code = bind(person, server)
    other = f"{os.path.dirname(server)}/aside"
    os.mkdir(other, 0o755)
    shutil.copy(server, f"{other}/odd.py")
    profile(person, f"{other}/odd.py", code)
    refused(person)


def test_a_digest_of_what_is_no_code_or_not_there_starts_nothing(person, server):
    code = bind(person, server)
    profile(person, server, {**code, person.work: ZERO})
    assert "is no code of this command" in refused(person)
    profile(person, server, {**code, f"{person.work}/absent": ZERO})
    assert "is not there" in refused(person)


@pytest.mark.parametrize("code", [{}, {"/srv": 1}, {"/srv": "sha256:" + 64 * "0"}, {"/srv": ZERO[:-1]}, {"/srv": ZERO.upper()}, {"srv": ZERO}])
def test_what_is_no_digest_of_a_path_is_refused(person, server, code):
    person.profile("odd", {"stockade": 1, "name": "odd", "command": ["/usr/bin/python3", server], "code": code})
    assert "code" in refused(person)
