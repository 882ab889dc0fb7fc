# SPDX-License-Identifier: Apache-2.0
"""A bundle is put together from a directory, each part looked at by what will read it; and one can be looked into."""
import json
import os
import subprocess

import pytest

PROFILE = {"stockade": 1, "name": "notes", "version": 4, "command": ["/usr/bin/true"]}
KILL = {"stockade": 1, "server": "db-*", "who": "it@example.com", "when": "2026-01-01T00:00:00Z", "why": "SEC-7"}
REVOKE = {"stockade": 1, "revoke": [{"profile": "notes", "versions": "..3", "why": "SEC-8"}]}
HEAD = ("--name", "acme", "--version", "12", "--expires", "2036-01-01")


@pytest.fixture
def fleet(person):
    """A directory as /etc/stockade is."""
    put(person, "profiles/notes.json", PROFILE)
    put(person, "kill.d/server.db.json", KILL)
    put(person, "revocations/notes.json", REVOKE)
    put(person, "groups.json", {"mcp-dev": {"servers": ["notes"]}})
    return person


def put(person, name, what):
    path = f"{person.home}/fleet/{name}"
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(what if isinstance(what, str) else json.dumps(what))
    os.chmod(path, 0o644)
    return path


def make(fleet, *words, check=0):
    return fleet.stockade("bundle", "new", *(words or HEAD), "-o", f"{fleet.home}/bundle.json", f"{fleet.home}/fleet", check=check)


def test_what_lies_in_a_directory_is_one_file_that_is_signed_and_verified(fleet):
    subprocess.run(["minisign", "-G", "-W", "-p", "it.pub", "-s", "it.key"], cwd=fleet.home, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["minisign", "-S", "-W", "-s", "it.key", "-m", "fleet/profiles/notes.json"], cwd=fleet.home, check=True, stdout=subprocess.DEVNULL)
    assert "1 profile, 0 files of pins, 1 revocation, 1 kill entry, 1 group; " in make(fleet).stdout
    with open(f"{fleet.home}/bundle.json", encoding="utf-8") as f:
        bundle = json.load(f)
    assert bundle["bundle"] == "acme" and bundle["version"] == 12 and bundle["expires"] == "2036-01-01T00:00:00Z"
    assert json.loads(bundle["profiles"][0]["text"]) == PROFILE and len(bundle["profiles"][0]["signatures"]) == 1
    assert bundle["kill"] == [KILL] and bundle["revocations"] == [REVOKE]
    file = f"{fleet.home}/bundle.json"
    assert "It is not signed." in fleet.stockade("bundle", "show", file, check=0).stdout
    fleet.stockade("profile", "sign", "--key", f"{fleet.home}/it.key", file, check=0)
    fleet.stockade("profile", "verify", "--keys", fleet.home, "--need", "1", file, check=0)
    shown = fleet.stockade("bundle", "show", file, check=0).stdout
    assert "bundle 'acme', version 12" in shown and "profile  notes, version 4" in shown and "SEC-7" in shown and "group    mcp-dev" in shown, shown
    told = json.loads(fleet.stockade("bundle", "show", "--json", file, check=0).stdout)
    assert told["profiles"] == [{"name": "notes", "digest": bundle["profiles"][0]["digest"], "version": 4}]
    assert [k["server"] for k in told["kill"]] == ["db-*"] and told["groups"] == ["mcp-dev"] and len(told["signers"]) == 1


@pytest.mark.parametrize("issued, expires, holds, words", [
    ("2026-01-01T00:00:00Z", "2096-01-01T00:00:00Z", "now", None),
    ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "over", "It has expired"),
    ("2095-01-01T00:00:00Z", "2096-01-01T00:00:00Z", "ahead", "It was issued later than this machine's clock says"),
])
def test_it_is_said_whether_a_bundle_holds_now(fleet, issued, expires, holds, words):
    make(fleet)
    file = f"{fleet.home}/bundle.json"
    with open(file, encoding="utf-8") as f:
        bundle = json.load(f)
    with open(file, "w", encoding="utf-8") as f:
        json.dump({**bundle, "issued": issued, "expires": expires}, f)
    assert json.loads(fleet.stockade("bundle", "show", "--json", file, check=0).stdout)["holds"] == holds
    shown = fleet.stockade("bundle", "show", file, check=0).stdout
    assert words in shown if words else "It " not in shown.replace("It is not signed.", ""), shown


@pytest.mark.parametrize("name, what, words", [
    ("profiles/notes.json", {**PROFILE, "tool": {}}, "did you mean"), ("profiles/other.json", PROFILE, "calls itself"),
    ("profiles/notes.pins", "{}\n", "is damaged"), ("profiles/notes.jsn", "{}", "move it away"), ("kill.d/x.json", {"stockade": 1, "server": "x"}, "damaged"),
    ("kill.d/x.json", "[]", "not an object"), ("revocations/x.json", {"stockade": 1, "revoke": [{"key": "1"}]}, "revo"),
    ("groups.json", {"a": {}}, 'without "servers"'),
    ("groups.json", "{", "groups.json:1"), ("pins/notes.json", {}, "move it away"), ("profiles/notes.json.minisig", "x\n", "minisig"),
])
def test_a_part_with_a_mistake_in_it_makes_no_bundle(fleet, name, what, words):
    make(fleet)
    file = f"{fleet.home}/bundle.json"
    with open(file, "rb") as f:
        before = f.read()
    put(fleet, name, what)
    said = make(fleet, check=125).stderr
    assert words in said, said
    with open(file, "rb") as f:
        assert f.read() == before


def test_what_others_may_write_goes_into_no_bundle(fleet):
    os.chmod(f"{fleet.home}/fleet/kill.d/server.db.json", 0o666)
    assert "server.db.json" in make(fleet, check=125).stderr
    os.unlink(f"{fleet.home}/fleet/kill.d/server.db.json")
    os.symlink("/etc/passwd", f"{fleet.home}/fleet/kill.d/server.db.json")
    assert "server.db.json" in make(fleet, check=125).stderr
    assert not os.path.exists(f"{fleet.home}/bundle.json")


@pytest.mark.parametrize("words", [HEAD[:4], HEAD[2:], HEAD[:2] + HEAD[4:], (*HEAD[:4], "--expires", "soon"), (*HEAD[:2], "--version", "0", *HEAD[4:])])
def test_name_version_and_end_have_to_be_given(fleet, words):
    make(fleet, *words, check=2)


def test_a_bundle_that_ends_before_it_begins_is_none(fleet):
    assert "expires before it was issued" in make(fleet, *HEAD[:4], "--expires", "2026-01-01", check=125).stderr
