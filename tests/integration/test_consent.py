# SPDX-License-Identifier: Apache-2.0
"""Nothing runs unseen: the question, the answers to it, and what they are remembered for."""
import json
import os
import shutil
import subprocess
import time

import pytest
from integration.harness import ODD, STOCKADE, ask, npm_server, soon, until
from integration.pty_person import Terminal


def terminal(person, *words):
    return Terminal([STOCKADE, *words], person.env, person.work)


def waiting(person):
    return json.loads(person.stockade("approve", "--json", check=0).stdout)


def runs(w):
    """The server is there, behind the shim that answered for it."""
    return until(lambda: "echo" in json.dumps(w.request("tools/list")))


@pytest.mark.root
def test_the_question_shows_the_whole_command_and_defaults_to_no(person):
    long_word = "word-" + "x" * 3000 + "-end"
    t = terminal(person, "approve", "--ro", person.work, "--", *ODD, "mark", long_word)
    t.read_until("[y/N]")
    flat = t.text.replace("\r", "").replace("\n", "")
    assert long_word in flat and person.work in flat
    t.type("\n")
    assert t.wait() == 125
    assert person.stockade("run", "--ro", person.work, "--", *ODD, "mark", long_word).returncode == 125


@pytest.mark.root
def test_y_approves_and_the_launch_is_not_asked_again(person):
    t = terminal(person, "approve", "--", *ODD, "yes")
    t.read_until("[y/N]")
    t.type("y\n")
    assert t.wait() == 0
    w = person.start("--", *ODD, "yes")
    assert w.initialize()["result"]["serverInfo"]["name"] == "odd"
    w.end()
    listed = person.stockade("approvals", check=0).stdout
    assert "odd" in listed


@pytest.mark.root
def test_a_changed_grant_asks_again_and_shows_the_difference(person):
    person.approve("--", *ODD, "diff")
    t = terminal(person, "approve", "--ro", person.work, "--", *ODD, "diff")
    t.read_until("[y/N]")
    assert any(line.strip().startswith("+ may read") and person.work in line for line in t.text.splitlines()), t.text
    t.type("n\n")
    assert t.wait() == 125


@pytest.mark.root
def test_changed_code_asks_again(person):
    script = person.write("srv/server.py", open(ODD[1], encoding="utf-8").read())
    command = ["/usr/bin/python3", script, "code"]
    before = person.approve("--", *command)
    with open(script, "a", encoding="utf-8") as f:
        f.write("# changed\n")
    assert person.stockade("approve", "--print-digest", "--", *command, check=0).stdout.strip() != before
    assert person.stockade("run", "--", *command).returncode == 125


def test_deceptive_characters_of_the_command_are_shown_as_escapes(person):
    r = person.stockade("approve", "--print-digest", "--", *ODD, "a\u202eb", "c\x1b[2Jd", check=0)
    assert "\u202e" not in r.stderr and "\x1b" not in r.stderr
    assert "202e" in r.stderr and "x1b" in r.stderr


# grants and command; what the question calls it; what it points at
DANGEROUS = {
    "a shell with -c": (["--", "/bin/sh", "-c", "true"], "a shell or interpreter runs program text", "the command above"),
    "removal": (["--", "/bin/sh", "-c", "rm -rf ~"], "its command line removes or overwrites files", "the command above"),
    "keys": (["--ro", "{home}/.ssh", "--", *ODD, "d"], "keys and passwords are kept there", "may read {home}/.ssh"),
    "code of its own": (["--rw", "{work}", "--", "/usr/bin/python3", "{work}/own.py"], "it can rewrite its own code", "code {work}/own.py"),
}


@pytest.mark.parametrize("what", DANGEROUS)
def test_what_is_dangerous_stands_first_and_says_what_it_is_about(person, what):
    words, name, about = json.loads(json.dumps(DANGEROUS[what]).replace("{home}", person.home).replace("{work}", person.work))
    os.mkdir(f"{person.home}/.ssh")
    person.write("own.py", "")
    said = person.stockade("approve", "--print-digest", *words, check=0).stderr
    first, rest = said.split("What it gets")
    assert f"! {name}" in first.split("DANGEROUS")[1] and about in first
    assert "Say yes only if" in rest
    assert "DANGEROUS" not in person.stockade("approve", "--print-digest", "--", *ODD, "harmless", check=0).stderr


@pytest.mark.root
def test_a_launch_without_a_terminal_waits_and_approve_lists_and_answers_it(person):
    w = person.start("--", *ODD, "waits")
    w.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}})
    until(lambda: waiting(person))
    t = terminal(person, "approve", "1")
    t.read_until("[y/N]")
    t.type("y\n")
    assert t.wait() == 0
    # The client was told of a server that waits; it has it all the same.
    assert "waiting" in w.answer(1)["result"]["instructions"]
    assert runs(w)
    assert w.end() == 0


def test_a_launch_nobody_answers_waits_on_and_says_nothing_that_would_lift_it(person):
    w = person.start("--", *ODD, "nobody")
    answers = [w.initialize()]
    time.sleep(22)  # longer than a launch on a terminal waits
    answers += [w.request("tools/list"), w.call("echo")]
    assert "result" in answers[1] and answers[2]["result"]["isError"]
    words = json.dumps(answers)
    for loosening in ("stockade approve ", "--digest", "--all", "restore"):
        assert loosening not in words
    assert w.end() == 125
    # Clients keep their server's stderr, and show it to a model that asks for it: the same rule.
    note = w.err.decode()
    assert "the user can see it with stockade approve" in note and "nothing is started" in note
    for loosening in ("type ", "Type ", "approve 1", "approve --", "approve odd", "--digest", "restore", "you "):
        assert loosening not in note, note


def test_a_path_that_is_granted_twice_is_shown_once(person):
    grant = ["--ro", person.work]
    r = person.stockade("approve", "--print-digest", *grant, *grant, "--", *ODD, "twice", check=0)
    assert r.stderr.count(f" {person.work}  (--ro)") == 1, r.stderr
    assert r.stderr.count(f"roots may name {person.work} ") == 1, r.stderr


def test_a_launch_that_waits_says_so_at_once_and_names_no_way_to_lift_it(person):
    w = person.start("--", *ODD, "silent")
    until(lambda: b"waiting for the user's approval" in w.err)
    note = w.err.decode()
    for loosening in ("type ", "Type ", "approve 1", "approve --", "approve odd", "--digest", "restore", "you "):
        assert loosening not in note, note
    w.kill()
    person.approve("--", *ODD, "known")
    w = person.start("--", *ODD, "known")
    w.initialize()
    w.end()
    assert b"waiting" not in w.err


def test_a_waiting_launch_that_a_digest_answers_is_recorded_with_that_channel(person):
    w = person.start("--", *ODD, "by-digest")
    digest = until(lambda: waiting(person))[0]["digest"]
    person.stockade("approve", "--digest", digest, check=0)
    w.initialize()
    assert runs(w) and w.end() == 0
    records = person.records()
    assert [r.get("channel") for r in records if r["event"] == "session.open"] == [None]
    assert [r.get("channel") for r in records if r["event"] == "consent"] == [None, "digest"]
    assert {r["channel"] for r in records if r["event"] in ("session.ready", "session.close")} == {"digest"}


def test_two_launches_of_one_plan_share_one_question(person):
    a, b = person.start("--", *ODD, "shared"), person.start("--", *ODD, "shared")
    [question] = until(lambda: [q for q in waiting(person) if q["waiters"] == 2])
    assert waiting(person)[0]["digest"] == question["digest"] and len(waiting(person)) == 1
    t = terminal(person, "approve", "--all")
    t.read_until("[y/N]")
    t.type("y\n")
    assert t.wait() == 0
    for w in (a, b):
        assert "result" in w.initialize()
        assert runs(w) and w.end() == 0


@pytest.mark.root
def test_revoking_makes_it_ask_again(person):
    person.approve("--", *ODD, "revoked")
    listed = json.loads(person.stockade("approvals", "--json", check=0).stdout)
    rows = listed if isinstance(listed, list) else listed["approvals"]
    person.stockade("approvals", "revoke", rows[0]["id"], check=0)
    assert "odd" not in person.stockade("approvals", check=0).stdout
    assert person.stockade("run", "--", *ODD, "revoked").returncode == 125


def test_a_digest_that_is_not_this_launch_approves_nothing(person):
    assert person.stockade("approve", "--digest", "0" * 64, "--", *ODD, "other").returncode != 0
    assert "odd" not in person.stockade("approvals", check=0).stdout


def test_a_fetcher_is_refused_at_once_and_told_what_to_do(person):
    for command, mend in ((["npx", "-y", "some-server"], "npm install"), (["uvx", "some-server"], "install"),
                          (["npx", "-y", "@modelcontextprotocol/server-filesystem@1.2", "/d"], "'stockade check server-filesystem'"),
                          (["uvx", "mcp-server-time==1"], "'stockade check mcp-server-time'"),
                          (["docker", "run", "x"], "the server itself")):
        def refusal():
            start = time.monotonic()
            r = person.stockade("run", "--", *command)
            took = time.monotonic() - start
            assert r.returncode == 125
            assert command[0] in r.stderr and mend in r.stderr
            assert len(r.stderr.strip().splitlines()) <= 4
            return took
        assert soon(refusal, 1)


def test_a_known_client_among_the_ancestors_may_not_approve(person):
    claude = f"{person.work}/claude"
    script = person.write("agent.py", "import subprocess, sys\nsys.exit(subprocess.run(sys.argv[1:]).returncode)\n")
    digest = person.stockade("approve", "--print-digest", "--", *ODD, "agent", check=0).stdout.strip()
    shutil.copy("/usr/bin/python3", claude)
    r = subprocess.run([claude, script, STOCKADE, "approve", "--digest", digest, "--", *ODD, "agent"], env=person.env,
                       cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 125, r.stderr
    assert "claude" in r.stderr
    assert "odd" not in person.stockade("approvals", check=0).stdout


def agent_of(client, person, *words):
    """A copy of python under the client's name that starts the words, as the client's own shell would."""
    shutil.copy(os.path.realpath("/usr/bin/python3"), f"{person.work}/{client}")
    script = person.write("agent.py", "import subprocess, sys\nsys.exit(subprocess.run(sys.argv[1:]).returncode)\n")
    return Terminal([f"{person.work}/{client}", script, STOCKADE, *words], person.env, person.work)


def test_a_clients_agent_with_a_terminal_of_its_own_is_not_asked_and_cannot_answer(person):
    t = agent_of("claude", person, "run", "--", *ODD, "agent")
    t.read_until("the question is not asked here")
    t.type("y\n")
    until(lambda: waiting(person))
    assert "Start it?" not in t.text
    assert "Claude Code" in t.text and "stockade approve" in t.text
    assert "Nothing is approved" in person.stockade("approvals", check=0).stdout
    t.type("\x03")
    assert t.wait() != 0
    assert "session.ready" not in person.events()


def test_the_same_terminal_without_a_client_above_it_is_asked(person):
    t = agent_of("nobodys-client", person, "run", "--", *ODD, "agent")
    t.read_until("Start it?")
    t.type("n\n")
    assert t.wait() == 125


def test_nobody_approves_from_below_more_programs_than_can_be_looked_at(person):
    nest = person.write("nest.py", "import subprocess, sys\nn = int(sys.argv[1])\n"
                        "argv = [sys.executable, sys.argv[0], str(n - 1)] + sys.argv[2:] if n else sys.argv[2:]\n"
                        "sys.exit(subprocess.run(argv).returncode)\n")
    digest = person.stockade("approve", "--print-digest", "--", *ODD, "deep", check=0).stdout.strip()
    r = subprocess.run(["/usr/bin/python3", nest, "40", STOCKADE, "approve", "--digest", digest, "--", *ODD, "deep"],
                       env=person.env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert r.returncode == 125, r.stderr
    assert "cannot be seen" in r.stderr
    assert "Nothing is approved" in person.stockade("approvals", check=0).stdout


def test_a_real_client_starts_what_was_approved(person):
    command = npm_server("filesystem", person.work)
    person.approve("--ro", person.work, "--", *command)
    answers = ask("sdk_v1", person, [STOCKADE, "run", "--ro", person.work, "--", *command],
                  [{"op": "call", "name": "list_allowed_directories"}])
    assert person.work in answers[0]["ok"]["content"][0]["text"]
