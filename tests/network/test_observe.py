# SPDX-License-Identifier: Apache-2.0
"""While a machine observes, hosts that the profile does not name are let through and recorded, but for what lies inside."""
import time

import pytest
from network.conftest import ZONE, policy
from network.world import HERE, OWN_PRIVATE, SITE

pytestmark = pytest.mark.needs("root")
ATTEMPTS = ["/usr/bin/python3", f"{HERE}/attempts.py"]
END = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86400))
OBSERVE = {"mode": "observe", "observe_until": END}
REACHED = "REACHED internet"
INSIDE = {**ZONE, "inner.example": {"A": ["10.1.2.3"]}, "meta.example": {"A": ["169.254.169.254"]}, "own.example": {"A": [OWN_PRIVATE]},
          "loop.example": {"A": ["127.0.0.1"]}}


def tries(guest, *attempts):
    """What each comes to for a server whose profile names one host, and the records of it."""
    wire = guest.serve_profile({"allow": ["ok.example:80"]})
    told = {a: wire.out([*ATTEMPTS, *a.split()]).split("\n")[0] for a in attempts}
    assert wire.end() == 0
    return told, {r.get("name"): r for r in guest.net_records("net.connect")}


def test_a_host_that_the_profile_does_not_name_is_reached_and_recorded(world, guest):
    with policy(world, {}):
        told, _ = tries(guest, "tcp ok.example 80", "tcp other.example 80")
        assert REACHED in told["tcp ok.example 80"] and REACHED not in told["tcp other.example 80"], told  # the control
    with policy(world, {}, **OBSERVE):
        told, records = tries(guest, "tcp ok.example 80", "tcp other.example 80")
    assert all(REACHED in t for t in told.values()), told
    assert [records[h]["decision"] for h in ("ok.example", "other.example")] == ["allow", "would deny"], records
    assert 'has no such host or port; let through by /etc/stockade/policy.json:1 (mode "observe")' in records["other.example"]["rule"], records


def test_a_host_that_is_only_observed_is_told_as_a_new_one_once(world, guest):
    rule = {"name": "hosts", "when": {"new": "host"}, "severity": "notice"}
    with policy(world, {}, **OBSERVE, audit={"alerts": [rule]}):
        wire = guest.serve_profile({"allow": ["ok.example:80"]})
        for _ in range(2):
            assert REACHED in wire.out([*ATTEMPTS, "tcp", "other.example", "80"])
        assert wire.end() == 0
    alerts = [r for r in guest.records() if r["event"] == "alert"]
    assert [(a["name"], a["subject"], a["reason"]) for a in alerts] == [("other.example", "hosts", "a new host: net.connect other.example: would deny")], alerts


@pytest.mark.parametrize("name", ["inner", "meta", "own", "loop"])
def test_no_name_that_is_observed_leads_inside(world, guest, name):
    world.internet.zone(INSIDE)
    with policy(world, {}, **OBSERVE):
        told, records = tries(guest, f"tcp {name}.example 80")
    assert "REACHED" not in told[f"tcp {name}.example 80"], told
    assert records[f"{name}.example"]["decision"] == "deny", records


@pytest.mark.parametrize("attempt", [f"tcp {SITE} 80", "tcp 10.1.2.3 80", "tcp 127.0.0.1 80", "tcp 169.254.169.254 80", "tcp other.example 25"])
def test_addresses_and_other_ports_are_denied_as_ever(world, guest, attempt):
    with policy(world, {}, **OBSERVE):
        told, _ = tries(guest, attempt)
    assert "REACHED" not in told[attempt], told


def test_what_the_policy_does_not_allow_is_denied(world, guest):
    with policy(world, {}, **OBSERVE, network={"allow": ["ok.example:80", "*.wild.example:80"]}):
        told, records = tries(guest, "tcp ok.example 80", "tcp api.wild.example 80", "tcp other.example 80")
    assert [REACHED in t for t in told.values()] == [True, True, False], told
    assert records["api.wild.example"]["decision"] == "would deny" and "other.example" not in records, records


def test_a_profile_without_a_network_has_none(world, guest):
    with policy(world, {}, **OBSERVE):
        wire = guest.serve_profile({"allow": []})
        assert "REACHED" not in wire.out([*ATTEMPTS, "tcp", "ok.example", "80"])
        wire.end()


def test_behind_a_proxy_without_a_list_nothing_more_is_let_through(world, guest):
    with policy(world, {"proxy": "http://198.51.100.1:3128"}, **OBSERVE):
        told, _ = tries(guest, "tcp other.example 80")
    assert "REACHED" not in told["tcp other.example 80"], told
