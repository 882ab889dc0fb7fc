# SPDX-License-Identifier: Apache-2.0
"""Which client asks for a server: the program behind shells and launchers, its script, its package, its digest."""
import hashlib
import json
import os
import shutil
import subprocess
import time

import pytest
from integration.harness import ODD, STOCKADE, Wire

CHECK = f"{STOCKADE} check --json -- /usr/bin/true; exit $?"


def sha256(path):
    with open(path, "rb") as f:
        return "sha256:" + hashlib.sha256(f.read()).hexdigest()


def asked(person, argv):
    """What `check`, started by these words, says of the client."""
    r = subprocess.run(argv, env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=60, check=False)
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)["client"]


@pytest.fixture
def agent(person):
    """A client that nobody knows: a program of the user's that can start others."""
    path = f"{person.work}/agent"
    shutil.copy("/bin/dash", path)
    return path


def test_a_program_is_known_by_path_and_digest(person, agent):
    client = asked(person, [agent, "-c", CHECK])
    assert (client["kind"], client["path"], client["digest"]) == ("program", agent, sha256(agent)), client
    assert client["root_owned"] is False and "package" not in client and client["pid"] > 1


@pytest.mark.parametrize("between", [["/bin/sh", "-c"], ["/usr/bin/env", "FOO=1", "/bin/bash", "-c"], ["/usr/bin/timeout", "50", "/bin/sh", "-c"]])
def test_shells_and_launchers_between_do_not_hide_the_client(person, agent, between):
    words = " ".join([*between, f"'{CHECK}'"])
    assert asked(person, [agent, "-c", f"{words}; exit $?"])["path"] == agent


def test_a_known_client_counts_before_an_unknown_program_that_it_started(person, agent):
    codex = f"{person.work}/codex"
    shutil.copy("/bin/dash", codex)
    client = asked(person, [codex, "-c", f"{agent} -c '{CHECK}'; exit $?"])
    assert (client["name"], client["path"]) == ("Codex", codex), client


def test_of_an_interpreter_the_script_and_its_npm_package_are_told(person):
    run = f"require('child_process').execFileSync('{STOCKADE}', ['check', '--json', '--', '/usr/bin/true'], {{stdio: 'inherit'}})"
    script = person.write("lib/node_modules/@corp/agent/dist/cli.js", run)
    person.write("lib/node_modules/@corp/agent/dist/package.json", '{"type": "commonjs"}')
    person.write("lib/node_modules/@corp/agent/package.json", '{"name": "@corp/agent", "version": "3.1.0"}')
    client = asked(person, ["node", script])
    assert (client["kind"], client["script"], client["digest"]) == ("script", script, sha256(script)), client
    assert (client["package"], client["version"]) == ("npm:@corp/agent", "3.1.0"), client
    assert "its own" in client["how"]
    relative = asked(person, ["node", "lib/node_modules/@corp/agent/dist/cli.js"])
    assert relative["script"] == script, relative


def test_a_script_of_python_belongs_to_the_distribution_whose_record_names_it(person):
    script = person.write("venv/bin/agent", f"import subprocess; subprocess.run(['{STOCKADE}', 'check', '--json', '--', '/usr/bin/true'], check=True)")
    site = "venv/lib/python3.11/site-packages"
    person.write(f"{site}/other-1.0.dist-info/RECORD", "../../../bin/agentx,,\nxx../../../bin/agent,,\n")
    person.write(f"{site}/the_agent-2.5.dist-info/RECORD", "the_agent/__init__.py,,\n../../../bin/agent,sha256=x,3\n")
    client = asked(person, ["/usr/bin/python3", script])
    assert (client["script"], client["package"], client["version"]) == (script, "pypi:the_agent", "2.5"), client


def test_an_interpreter_without_a_script_is_not_taken_for_one(person):
    run = f"import subprocess; subprocess.run(['{STOCKADE}', 'check', '--json', '--', '/usr/bin/true'], check=True)"
    client = asked(person, ["/usr/bin/python3", "-c", run])
    assert client["kind"] == "script" and "script" not in client and "digest" not in client and "cannot be told" in client["how"], client


def test_what_a_debian_package_installed_is_known_by_that_package(person):
    client = asked(person, ["/usr/bin/mawk", f'BEGIN {{ exit system("{STOCKADE} check --json -- /usr/bin/true") }}'])
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "mawk"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert (client["path"], client["package"], client["version"]) == ("/usr/bin/mawk", "deb:mawk", version), client
    assert client["root_owned"] is True and client["digest"] == sha256("/usr/bin/mawk")


def cache_of(person, path):
    st = os.stat(path)
    return f"{person.home}/.local/state/stockade/clients/{st.st_dev:x}-{st.st_ino:x}.json"


def test_a_digest_is_kept_while_the_file_is_as_it_was_and_never_within_two_seconds_of_a_change(person, agent):
    asked(person, [agent, "-c", CHECK])
    assert not os.path.exists(cache_of(person, agent))
    kept = "/usr/bin/mawk"
    words = [kept, f'BEGIN {{ exit system("{STOCKADE} check --json -- /usr/bin/true") }}']
    assert time.time() - os.stat(kept).st_ctime > 5
    asked(person, words)
    with open(cache_of(person, kept), encoding="utf-8") as f:
        entry = json.load(f)
    assert entry["digest"] == sha256(kept)
    for change, believed in (({}, True), ({"ctime": entry["ctime"] + 1}, False), ({"size": 1}, False)):
        with open(cache_of(person, kept), "w", encoding="utf-8") as f:
            json.dump({**entry, "digest": "sha256:" + 64 * "0", **change}, f)
        assert (asked(person, words)["digest"] == "sha256:" + 64 * "0") == believed, change


def test_records_and_sessions_and_approvals_name_the_client(person, agent):
    person.approve("--", *ODD)
    wire = Wire([agent, "-c", " ".join([STOCKADE, "run", "--", *ODD, "; exit $?"])], env=person.env, cwd=person.work)
    wire.initialize()
    running = json.loads(person.stockade("ps", "--json", check=0).stdout)[0]["identity"]
    wire.end()
    opened = [r for r in person.records() if r["event"] == "session.open"][-1]["detail"]["client"]
    assert opened["path"] == running["path"] == agent and opened["digest"] == running["digest"] == sha256(agent), (opened, running)
    assert "kind" in json.loads(person.stockade("approvals", "--json", check=0).stdout)[0]["client"]


def test_the_question_and_check_say_which_client_asks(person, agent):
    r = subprocess.run([agent, "-c", f"{STOCKADE} check -- /usr/bin/true; exit $?"], env=person.env, cwd=person.work, stdout=subprocess.PIPE,
                       stdin=subprocess.DEVNULL, text=True, check=True)
    assert "The client that asks for it (identified, not authenticated)" in r.stdout
    assert f"{agent}, {sha256(agent)}" in r.stdout, r.stdout
