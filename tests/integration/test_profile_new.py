# SPDX-License-Identifier: Apache-2.0
"""What `stockade profile new` makes of a command line starts the same as that command line, and is a profile like any other."""
import json
import os

import pytest

pytestmark = pytest.mark.root

# Called as its program is, so that the name is no difference either.
NAME = "true"
COMMAND = ["/usr/bin/true", "--port=1", "a word", "~x", "$HOME", "\u202e"]


def plan(person, *words):
    return json.loads(person.stockade("check", "--json", *words, check=0).stdout)


def made(person, *grants, name=NAME, command=COMMAND):
    return person.stockade("profile", "new", *grants, name, "--", *command, check=0).stdout


def findings(person, path):
    r = person.stockade("profile", "lint", "--json", path)
    return {(f["severity"], f["rule"]) for f in json.loads(r.stdout)["findings"]}


@pytest.fixture
def places(person):
    for d in (f"{person.home}/data", f"{person.work}/notes", f"{person.home}/.config"):
        os.mkdir(d)
        os.chmod(d, 0o777 if d.endswith("notes") else 0o755)
    person.env["API_TOKEN"] = "unseen"
    return person


@pytest.mark.parametrize("grants", [
    [], ["--ro", "."], ["--ro", "~/data"], ["--rw", "notes", "--cwd", "notes"], ["--ro", "~/data", "--rw", "notes", "--cwd", "/usr"],
    ["--env", "API_TOKEN", "--setenv", "MODE=a = b", "--setenv", "EMPTY="],
    ["--host", "api.example.com", "--host", "*.example.org:443,8443", "--host", "10.2.0.0/16:5432", "--host", "[2001:db8::1]:443", "--host", "localhost:8080"]])
def test_a_profile_that_was_made_of_a_command_line_has_the_digest_of_its_plan(places, grants):
    words = [g.replace("~", places.home) for g in grants]
    path = places.profile(NAME, made(places, *words))
    line, profile = plan(places, *words, "--", *COMMAND), plan(places, path)
    assert line["digest"] == profile["digest"] and line["mounts"] == profile["mounts"], (line, profile)
    assert (line["profile"], profile["profile"]) == (None, path)
    asked = {("warning", "danger")} if "localhost:8080" in grants else set()
    assert findings(places, path) == {("warning", "owner"), ("warning", "tools"), ("note", "expiry"), ("note", "review"), ("note", "signed")} | asked


def test_what_is_missing_in_it_is_what_a_person_has_to_say(person):
    whole = {**json.loads(made(person)), "owner": "team@example.com", "tools": {"allow": ["get_*"]}}
    person.stockade("profile", "lint", person.profile(NAME, whole), check=0)


def test_what_lies_in_the_home_lies_in_everybodys(places):
    text = made(places, "--ro", f"{places.home}/data", "--cwd", f"{places.home}/data")
    assert places.home not in text and json.loads(text)["filesystem"]["read"] == ["~/data"] and json.loads(text)["cwd"] == "~/data"


@pytest.mark.parametrize("word", ["~", "~/x", "${HOME}", "a${workspace}", "${x"])
def test_a_word_that_a_profile_would_read_otherwise_makes_none(person, word):
    assert plan(person, "--", "/usr/bin/true", word)["name"] == NAME
    for words in (["--", "/usr/bin/true", word], ["--setenv", f"A={word}", "--", "/usr/bin/true"]):
        r = person.stockade("profile", "new", NAME, *words, check=125)
        assert "no profile was made" in r.stderr and r.stdout == ""


@pytest.mark.parametrize("status,words", [
    (2, ["x"]), (2, ["--", "/usr/bin/true"]), (2, ["--set", "a=b", "x", "--", "/usr/bin/true"]), (2, ["--profile", "x.json", "x", "--", "/usr/bin/true"]),
    (2, ["--ro", "", "x", "--", "/usr/bin/true"]), (2, ["--host", "*.com", "x", "--", "/usr/bin/true"]), (125, ["X", "--", "/usr/bin/true"]),
    (125, ["--ro", "~/absent", "x", "--", "/usr/bin/true"]), (125, ["x", "--", "npx", "some-server"]), (126, ["x", "--", "/etc/passwd"]), (127, ["x", "--", "/absent"])])
def test_what_could_not_be_started_makes_none(person, status, words):
    assert person.stockade("profile", "new", *words, check=status).stdout == ""


def test_a_file_is_written_where_none_is_and_by_its_name(person):
    path = f"{person.work}/{NAME}.json"
    if os.geteuid() == 0:
        os.chmod(person.work, 0o755)
    person.stockade("profile", "new", "-o", path, NAME, "--", *COMMAND, check=0)
    with open(path, encoding="utf-8") as f:
        assert f.read() == made(person)
    with open(path, "w", encoding="utf-8") as f:
        f.write("mine")
    assert "exists" in person.stockade("profile", "new", "-o", path, NAME, "--", *COMMAND, check=125).stderr
    with open(path, encoding="utf-8") as f:
        assert f.read() == "mine"
    other = f"{person.work}/other.json"
    assert f"called {NAME}.json" in person.stockade("profile", "new", "-o", other, NAME, "--", *COMMAND, check=125).stderr
    assert not os.path.exists(other)
