# SPDX-License-Identifier: Apache-2.0
"""Which clients may start servers is the policy's word, and who is not allowed is told so."""
import json
import os
import shutil
import subprocess

import pytest
from integration.harness import ODD, STOCKADE, Wire
from integration.test_clients import cache_of, sha256
from root.test_policy import OVER, machine  # pylint: disable=unused-import

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

SERVER = ["--", "/usr/bin/true"]


@pytest.fixture
def agent(machine):  # pylint: disable=redefined-outer-name
    """A client below a directory that root alone can change, which a home of a test is not."""
    directory = "/usr/local/lib/stockade-test-client"
    os.mkdir(directory, 0o755)
    shutil.copy("/bin/dash", f"{directory}/agent")
    yield f"{directory}/agent"
    shutil.rmtree(directory)


def by(machine, client, *words):
    """stockade under the policy, started by that client."""
    line = " ".join([STOCKADE, *words, "; exit $?"])
    return subprocess.run(["unshare", "-m", "sh", "-c", OVER, machine.etc, client, "-c", line], env=machine.person.env, cwd=machine.person.work,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)


def decided(machine, client):
    """What check says: allowed by which rule, or refused in which words."""
    r = by(machine, client, "check", "--json", *SERVER)
    assert r.returncode == 0, r.stderr
    c = json.loads(r.stdout)["client"]
    return c.get("rule"), c.get("refused")


def test_without_a_list_every_client_may(machine, agent):
    machine.policy({})
    assert decided(machine, agent) == (None, None)
    machine.policy({"clients": {"deny": [{"path": "/opt/*"}]}})
    assert decided(machine, agent) == (None, None)


@pytest.mark.parametrize("rule, fits", [
    ({"path": "/usr/local/lib/stockade-test-client/*"}, True), ({"path": "/usr/local/lib/stockade-test-client/agen"}, False), ({"path": "/opt/*"}, False),
    ({"digest": sha256("/bin/dash")}, True), ({"digest": "sha256:" + 64 * "0"}, False),
    ({"package": "deb:*"}, False), ({"name": "*"}, False)])
def test_a_rule_allows_or_denies_what_it_fits(machine, agent, rule, fits):
    machine.policy({"clients": {"allow": [rule]}})
    where, refused = decided(machine, agent)
    assert (where is not None, refused is None) == (fits, fits), (where, refused)
    key = next(iter(rule.values()))
    assert not fits or where == f'/etc/stockade/policy.json:1 (clients.allow "{key}")', where
    assert fits or "is not among those allowed by /etc/stockade/policy.json:1 (clients.allow)" in refused, refused
    machine.policy({"clients": {"deny": [rule], "allow": [{"digest": sha256("/bin/dash")}]}})
    where, refused = decided(machine, agent)
    assert (refused is not None) == fits and (not fits or "is denied by /etc/stockade/policy.json:1 (clients.deny" in refused), refused


def test_an_empty_list_allows_nobody(machine, agent):
    machine.policy({"clients": {"allow": []}})
    assert "is not among those allowed" in decided(machine, agent)[1]


@pytest.mark.parametrize("spoil", [lambda p: os.chown(p, 1000, 1000), lambda p: os.chmod(p, 0o775), lambda p: os.chmod(os.path.dirname(p), 0o777),
                                   lambda p: os.chown(os.path.dirname(p), 1000, 1000)])
def test_a_path_that_a_user_can_write_allows_nothing_and_a_digest_does(machine, agent, spoil):
    spoil(agent)
    machine.policy({"clients": {"allow": [{"path": agent}]}})
    where, refused = decided(machine, agent)
    assert where is None and "its path says nothing: a digest would" in refused, refused
    machine.policy({"clients": {"deny": [{"path": agent}]}})
    assert "is denied by" in decided(machine, agent)[1]
    machine.policy({"clients": {"allow": [{"digest": sha256(agent)}]}})
    assert decided(machine, agent)[1] is None


def test_a_package_allows_what_root_alone_says_is_of_it(machine):
    machine.policy({"clients": {"allow": [{"package": "deb:mawk"}]}})
    words = ["/usr/bin/mawk", f'BEGIN {{ exit system("{STOCKADE} check --json -- /usr/bin/true") }}']
    r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, machine.etc, *words], env=machine.person.env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, text=True, check=True)
    assert "clients.allow" in json.loads(r.stdout)["client"]["rule"], r.stdout
    script = machine.person.write("m/package.json", '{"name": "mine"}') and machine.person.write(
        "m/cli.js", f"require('child_process').execFileSync('{STOCKADE}', ['check', '--json', '--', '/usr/bin/true'], {{stdio: 'inherit'}})")
    os.chmod(f"{machine.person.work}/m", 0o777)
    machine.policy({"clients": {"allow": [{"package": "npm:mine"}]}})
    r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, machine.etc, "node", script], env=machine.person.env, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, text=True, check=True)
    assert "not root alone says that it is of that package" in json.loads(r.stdout)["client"]["refused"], r.stdout


def test_a_digest_that_a_user_wrote_into_the_cache_allows_nothing(machine, agent):
    os.utime(agent, (1e9, 1e9))
    forged = "sha256:" + 64 * "0"
    machine.policy({"clients": {"allow": [{"digest": forged}]}})
    decided(machine, agent)
    st = os.stat(agent)
    os.makedirs(os.path.dirname(cache_of(machine.person, agent)), mode=0o700, exist_ok=True)
    with open(cache_of(machine.person, agent), "w", encoding="utf-8") as f:
        json.dump({"size": st.st_size, "mtime": st.st_mtime_ns, "ctime": st.st_ctime_ns,
                   "packages": os.stat("/var/lib/dpkg/info").st_mtime_ns, "digest": forged, "package": "forged"}, f)
    os.chmod(cache_of(machine.person, agent), 0o600)
    assert decided(machine, agent)[0] is None
    machine.policy({"clients": {"allow": [{"package": "deb:forged"}]}})
    assert decided(machine, agent)[0] is None
    machine.policy({})
    shown = json.loads(by(machine, agent, "check", "--json", *SERVER).stdout)["client"]
    assert shown["digest"] == forged, "the control: without such a rule it is believed"


def test_a_client_that_is_not_allowed_hears_so_and_nothing_is_started(machine, agent):
    machine.policy({"clients": {"deny": [{"path": agent}]}})
    machine.person.approve("--", *ODD)
    line = " ".join([STOCKADE, "run", "--", *ODD, "; exit $?"])
    w = Wire(["unshare", "-m", "sh", "-c", OVER, machine.etc, agent, "-c", line], env=machine.person.env, cwd=machine.person.work)
    w.send({"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}})
    said = w.answer("a")
    told = json.dumps(said)
    assert "the policy of this machine does not allow this client to start servers" in told, told
    called = w.call("echo", {})
    assert "does not allow this client" in json.dumps(called) and "stockade approve" not in told + json.dumps(called), called
    w.eof()
    assert w.wait() == 125
    assert "is denied by /etc/stockade/policy.json:1 (clients.deny" in w.err.decode(), w.err
    records = machine.person.records()
    assert "session.ready" not in [r["event"] for r in records]
    assert [r["status"] for r in records if r["event"] == "consent"] == ["client not allowed"]


def test_a_client_that_cannot_be_identified_is_not_allowed_where_there_is_a_list(machine):
    machine.policy({"clients": {"allow": [{"path": "/*"}]}})
    run = f"import subprocess; subprocess.run(['{STOCKADE}', 'check', '--json', '--', '/usr/bin/true'], check=True)"
    r = subprocess.run(["unshare", "-m", "sh", "-c", OVER, machine.etc, "/usr/bin/python3", "-c", run], env=machine.person.env,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=True)
    assert "is not among those allowed" in json.loads(r.stdout)["client"]["refused"]


@pytest.mark.parametrize("item, words", [
    ({"path": "code"}, "paths of clients are absolute"), ({"digest": "abc"}, "sha256: and 64"), ({"package": "rpm:code"}, "one is written deb:NAME"),
    ({"path": "/a", "name": "b"}, "one member each"), ({"exe": "/a"}, "one member each"), ("/usr/bin/code", "one member each"), ({"name": ""}, "empty name")])
def test_a_rule_that_is_none_denies_every_launch(machine, item, words):
    machine.policy({"clients": {"allow": [item]}})
    r = machine.stockade("run", *SERVER)
    assert r.returncode == 125 and words in r.stderr and "policy.json:1" in r.stderr, r.stderr
