# SPDX-License-Identifier: Apache-2.0
"""What was found by attacking gateway and dial, through a real sandbox, each with what an honest or unconfined side shows."""
import pytest

pytestmark = pytest.mark.needs("root")


def questions(watcher):
    """The numbers of the questions that left, in order (RFC 1035, 4.1.1)."""
    return [p["payload"][:2].hex() for p in watcher.take() if p["port"] == 53]


def test_after_resolv_conf_changed_the_numbers_of_questions_are_not_the_same_in_every_session(world, guest, watcher):
    seen = []
    for _ in range(2):
        wire = guest.serve("--host", "ok.example:80")
        with open(f"{world.base}/resolv.conf", "a", encoding="ascii") as f:
            f.write("# another network\n")
        wire.out(["curl", "-sS", "--max-time", "20", "http://ok.example/"])
        assert wire.end() == 0
        seen.append(questions(watcher))
    assert seen[0] and len(seen[0]) == len(seen[1])
    assert not set(seen[0]) & set(seen[1]), seen
