# SPDX-License-Identifier: Apache-2.0
"""doctor on this machine, and where a layer is missing."""
import json
import os
import subprocess

import pytest
from integration.harness import STAGE, STOCKADE, of_process

DEAF_SECONDS = "86413"  # by which it is known again


def command_line(pid):
    return of_process(pid, "cmdline").rstrip("\0").split("\0")


@pytest.mark.root
def test_every_layer_works_here(person):
    r = person.stockade("doctor")
    assert r.returncode == 0, r.stdout + r.stderr
    assert "NO " not in r.stdout
    report = json.loads(person.stockade("doctor", "--json", check=0).stdout)
    assert report["ready"] is True and len(report["checks"]) > 20
    assert any(c["name"] == "a whole sandbox" and c["result"] == "yes" for c in report["checks"])
    said = {c["name"]: c["found"] for c in report["checks"]}
    assert "one was reached, and a packet socket opened" in said["addresses that stand for names"]
    assert all(name in said for name in ("stockade-enter", "stockade-shim", "stockade-gateway", "stockade-dial"))


@pytest.mark.root
def test_what_egress_needs_and_this_machine_refuses_is_named(person):
    """Where the limit on network namespaces is 0, none of what egress needs can be tried, and it is said which."""
    how = "--map-root-user" if os.geteuid() == 0 else "--map-current-user"
    r = subprocess.run(["unshare", "--user", how, "--keep-caps", "/bin/sh", "-c",
                        'echo 0 >/proc/sys/user/max_net_namespaces && exec "$@"', "sh", STOCKADE, "doctor", "--json"],
                       env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    missing = {c["name"]: c for c in json.loads(r.stdout)["checks"] if c["result"] == "no"}
    assert r.returncode == 1 and missing["addresses that stand for names"]["mend"], r.stdout


@pytest.mark.root
def test_a_missing_layer_is_named_with_its_mend(person):
    how = "--map-root-user" if os.geteuid() == 0 else "--map-current-user"
    r = subprocess.run(["unshare", "--user", how, "--keep-caps", "/bin/sh", "-c",
                        'echo 0 >/proc/sys/user/max_user_namespaces && exec "$@"', "sh", STOCKADE, "doctor", "--json"],
                       env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 1, r.stdout + r.stderr
    missing = {c["name"]: c for c in json.loads(r.stdout)["checks"] if c["result"] == "no"}
    assert "user.max_user_namespaces=15000" in missing["user namespace"]["mend"]


@pytest.mark.root
def test_a_log_that_cannot_be_written_is_found(person):
    os.makedirs(f"{person.home}/.local/state/stockade", mode=0o700)
    os.chmod(f"{person.home}/.local/state", 0o700)
    with open(f"{person.home}/.local/state/stockade/audit", "w", encoding="utf-8"):
        pass
    r = person.stockade("doctor", "--json")
    assert r.returncode == 1
    assert any(c["name"] == "audit log" and c["result"] == "no" for c in json.loads(r.stdout)["checks"])


@pytest.mark.root
def test_a_place_that_cannot_be_made_is_not_blamed_on_the_kernel(person):
    os.makedirs(f"{person.home}/.local/state", mode=0o700)
    with open(f"{person.home}/.local/state/stockade", "w", encoding="utf-8"):
        pass
    r = person.stockade("doctor", "--json")
    assert r.returncode == 1
    missing = {c["name"]: c for c in json.loads(r.stdout)["checks"] if c["result"] == "no"}
    whole = missing["a whole sandbox"]
    assert "set XDG_STATE_HOME to" in whole["found"] and whole["found"].count("Not a directory") == 1, whole
    assert "what is said there" in whole["mend"], whole


@pytest.mark.root
def test_an_enter_that_says_nothing_is_given_up_and_not_left_behind(person):
    deaf = person.write("deaf", f"#!/bin/sh\nexec /usr/bin/sleep {DEAF_SECONDS}\n", 0o755)
    how = "--map-root-user" if os.geteuid() == 0 else "--map-current-user"
    r = subprocess.run(["unshare", "--user", how, "--keep-caps", "--mount", "/bin/sh", "-c",
                        'mount --bind "$1" "$2" && exec "$3" doctor --json', "sh", deaf, f"{STAGE}/prefix/libexec/stockade/stockade-enter", STOCKADE],
                       env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 1, r.stdout + r.stderr
    missing = {c["name"]: c for c in json.loads(r.stdout)["checks"] if c["result"] == "no"}
    assert "hear from stockade-enter: Connection timed out" in missing["a whole sandbox"]["found"]
    assert "reinstall" in missing["a whole sandbox"]["mend"]
    assert not [p for p in os.listdir("/proc") if p.isdigit() and command_line(p)[1:] == [DEAF_SECONDS]]
