# SPDX-License-Identifier: Apache-2.0
"""What `stockade profile lint` says of a profile before somebody signs it."""
import json
import os
import shutil
import time

import pytest
from harness import SERVERS

pytestmark = pytest.mark.root

WHOLE = {"stockade": 1, "name": "notes", "version": 1, "owner": "team@example.com", "command": ["/usr/bin/true"],
         "reviewed": time.strftime("%Y-%m-%d"), "expires": "2999-01-01", "tools": {"allow": ["get_*"]}}


def lint(person, **more):
    """Its findings as (severity, rule): words, and the exit status."""
    path = person.profile("notes", {k: v for k, v in {**WHOLE, **more}.items() if v is not None})
    r = person.stockade("profile", "lint", "--json", path)
    told = json.loads(r.stdout)
    assert told["bad"] == (r.returncode == 1) and r.returncode in (0, 1), f"{r.stdout}\n{r.stderr}"
    return {(f["severity"], f["rule"]): f["words"] for f in told["findings"]}, r.returncode


def test_a_profile_with_nothing_to_ask_about_has_notes_alone(person):
    found, status = lint(person)
    assert status == 0 and set(found) == {("note", "signed")}, found


@pytest.mark.parametrize("more,severity,rule", [
    ({"tool": {}}, "error", "format"), ({"name": "other"}, "error", "format"), ({"expires": "2020-01-01"}, "error", "expiry"),
    ({"expires": None}, "note", "expiry"), ({"version": None}, "warning", "version"), ({"owner": None}, "warning", "owner"),
    ({"reviewed": None}, "note", "review"), ({"reviewed": "2020-01-01"}, "warning", "review"), ({"tools": None}, "warning", "tools"),
    ({"filesystem": {"read": ["~"]}}, "warning", "home"), ({"filesystem": {"protect": "none"}}, "warning", "walls"),
    ({"env": {"set": {"API_TOKEN": "x"}}}, "warning", "secrets"), ({"audit": {"arguments": "full"}}, "note", "walls"),
    ({"parameters": {"dir": {"type": "directory"}}, "filesystem": {"read": ["${dir}"]}}, "note", "code"),
    ({"network": {"allow": ["*:443"]}}, "warning", "danger")])
def test_each_rule_finds_what_it_is_about(person, more, severity, rule):
    found, status = lint(person, **more)
    assert (severity, rule) in found and status == (severity != "note"), found


def test_a_directory_of_the_name_does_not_hide_the_profile(person):
    lint(person)
    os.mkdir(f"{person.work}/notes")
    said = person.stockade("profile", "lint", "notes", check=0).stdout
    assert said.startswith("note [signed]"), said


def test_a_signed_path_is_not_signed_code_and_lint_prints_what_binds_it(person):
    srv = f"{person.base}/srv"
    os.mkdir(srv, 0o755)
    shutil.copy(f"{SERVERS}/odd.py", f"{srv}/odd.py")
    os.chown(f"{srv}/odd.py", 65534, 65534) if os.geteuid() == 0 else None  # pylint: disable=expression-not-assigned
    command = ["/usr/bin/python3", "-P", f"{srv}/odd.py"]
    found, status = lint(person, command=command)
    assert status == 1 and "a signed path is not signed code" in found["warning", "code"], found
    path = person.profile("notes", {**WHOLE, "command": command})
    code = {}
    for f in json.loads(person.stockade("profile", "lint", "--json", path).stdout)["findings"]:
        if f["rule"] == "code" and f["severity"] == "note":
            code.update(json.loads(f["words"][len('"code": '):f["words"].index("}") + 1]))
    found, status = lint(person, command=command, code=code)
    assert not any(rule == "code" for _, rule in found), found
