# SPDX-License-Identifier: Apache-2.0
"""What an approval binds: nothing that decides what runs may change under it."""
import json
import os
import subprocess

import pytest
from integration.harness import STOCKADE, command_name, descendants, until
from integration.pty_person import Terminal


def digest(person, *words, **env):
    person.env.update(env)
    try:
        return person.stockade("approve", "--print-digest", *words, check=0).stdout.strip()
    finally:
        for name in env:
            del person.env[name]


def project(person, name, text):
    person.write(f"{name}/package.json", "{}")
    return person.write(f"{name}/good.js", text)


def test_a_link_that_the_command_goes_through_is_bound(person):
    project(person, "pkg", "")
    person.write("pkg/sub/good.js", "process.exit(7)")  # of the same tree: no file changes, the link alone
    link = f"{person.work}/run.js"
    os.symlink("pkg/good.js", link)
    before = person.approve("--", "node", link)
    assert person.stockade("run", "--", "node", link).returncode == 0
    os.unlink(link)
    os.symlink("pkg/sub/good.js", link)
    assert digest(person, "--", "node", link) != before
    assert person.stockade("run", "--", "node", link).returncode == 125


def test_a_link_to_a_module_that_is_loaded_first_is_bound(person):
    main = project(person, "pkg", "")
    person.write("pkg/one.js", "")
    person.write("pkg/two.js", "process.exit(7)")
    link = f"{person.work}/first.js"
    os.symlink("pkg/one.js", link)
    words = ("--", "node", "-r", link, main)
    before = person.approve(*words)
    assert person.stockade("run", *words).returncode == 0
    os.unlink(link)
    os.symlink("pkg/two.js", link)
    assert digest(person, *words) != before


def test_a_link_that_the_server_may_replace_is_never_remembered(person):
    project(person, "pkg", "")
    os.mkdir(f"{person.work}/data")
    os.chmod(f"{person.work}/data", 0o777)
    os.symlink("../pkg/good.js", f"{person.work}/data/run.js")
    words = ("--rw", f"{person.work}/data", "--", "node", f"{person.work}/data/run.js")
    r = person.stockade("approve", "--digest", digest(person, *words), *words)
    assert r.returncode != 0
    assert "never remembered" in r.stderr or "not remembered" in r.stderr


def test_a_steering_value_that_cannot_be_bound_starts_nothing(person):
    words = ("--env", "PYTHONHOME", "--", "/usr/bin/python3", project(person, "pkg", ""))
    person.approve(*words)
    env = {**{k.encode(): v.encode() for k, v in person.env.items()}, b"PYTHONHOME": b"/tmp/\xff"}
    r = subprocess.run([STOCKADE, "run", *words], env=env, cwd=person.work, stdin=subprocess.DEVNULL, capture_output=True,
                       check=False, timeout=60)
    assert r.returncode == 125
    assert b"not UTF-8" in r.stderr


def test_modules_of_a_writable_working_directory_are_code_that_is_never_remembered(person):
    words = ("--rw", person.work, "--cwd", person.work, "--", "/usr/bin/python3", "-m", "json.tool")
    r = person.stockade("approve", "--print-digest", *words, check=0)
    assert "looks for modules in" in r.stderr
    r = person.stockade("approve", "--digest", r.stdout.strip(), *words)
    assert r.returncode != 0


STEERED = {  # the variable, its value, the grant that makes it the server's own
    "an absolute path": ("PYTHONPATH", "{work}/data/lib"),
    "an option with a path": ("NODE_OPTIONS", "--require={work}/data/x.js"),
    "a url": ("NODE_OPTIONS", "--import file://{work}/data/x.mjs"),
    "a hook": ("DOTNET_STARTUP_HOOKS", "{work}/data/Hook.dll"),
    "options of java": ("JDK_JAVA_OPTIONS", "@{work}/data/opts"),
}


@pytest.mark.parametrize("how", STEERED)
@pytest.mark.parametrize("option", ["--env", "--setenv"])
def test_a_variable_that_names_code_which_the_server_may_write_is_never_remembered(person, how, option):
    name, value = STEERED[how][0], STEERED[how][1].format(work=person.work)
    os.mkdir(f"{person.work}/data")
    os.chmod(f"{person.work}/data", 0o777)
    script = project(person, "pkg", "")
    person.env[name] = value
    given = (option, name if option == "--env" else f"{name}={value}")
    for rights, status in (("--rw", 125), ("--ro", 0)):
        words = (rights, f"{person.work}/data", *given, "--", "/usr/bin/node", script)
        r = person.stockade("approve", "--digest", digest(person, *words), *words)
        assert r.returncode == status, f"{rights}: {r.stderr}"


def test_a_relative_word_in_such_a_variable_is_one_of_the_working_directory(person):
    script = project(person, "pkg", "")
    os.mkdir(f"{person.work}/data")
    os.chmod(f"{person.work}/data", 0o777)
    for value, status in (("PYTHONPATH=lib", 125), ("PYTHONUNBUFFERED=1", 0), ("NODE_OPTIONS=--max-old-space-size=64", 0)):
        words = ("--rw", f"{person.work}/data", "--cwd", f"{person.work}/data", "--setenv", value, "--", "/usr/bin/node", script)
        r = person.stockade("approve", "--digest", digest(person, *words), *words)
        assert r.returncode == status, f"{value}: {r.stderr}"


def test_a_file_that_a_shell_is_told_to_run_and_the_server_may_write_is_never_remembered(person):
    person.write("data/run.sh", "exit 0")
    os.chmod(f"{person.work}/data", 0o777)
    for command, status in ((f"sh {person.work}/data/run.sh", 125), (f"ls {person.work}/data", 0)):
        words = ("--rw", f"{person.work}/data", "--", "sh", "-c", command)
        r = person.stockade("approve", "--digest", digest(person, *words), *words)
        assert r.returncode == status, f"{command}: {r.stderr}"


def answer_waiting(person, before_yes):
    """Somebody at a terminal approves the launch that waits."""
    until(lambda: json.loads(person.stockade("approve", "--json").stdout or "[]"))
    t = Terminal([STOCKADE, "approve"], person.env, person.work)
    t.read_until("Enter: none")
    t.type("1\n")
    t.read_until("[y/N]")
    before_yes()
    t.type("y\n")
    t.wait()
    return t.text


def test_a_plan_that_is_not_the_approved_one_leaves_nothing_of_the_sandbox_that_was_begun(person):
    """The sandbox of an approved server is built while its code is looked at; here that finds another code."""
    data = f"{person.work}/data"
    os.mkdir(data)
    os.chmod(data, 0o777)
    words = ("--rw", data, "--", "node", project(person, "pkg", "require('fs').writeFileSync(process.argv[2], '')"), f"{data}/ran")
    person.approve(*words)
    assert person.stockade("run", *words).returncode == 0
    os.unlink(f"{data}/ran")
    project(person, "pkg", "require('fs').writeFileSync(process.argv[2], 'changed')")
    records = len(person.records())
    with subprocess.Popen([STOCKADE, "run", *words], env=person.env, cwd=person.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as run:
        until(lambda: json.loads(person.stockade("approve", "--json", check=0).stdout))
        # The shim answers the client; nothing that could build a sandbox, or run in one, is there.
        assert [command_name(p) for p in descendants(run.pid)] == ["stockade-shim"]
        assert [s["state"] for s in json.loads(person.stockade("ps", "--json", check=0).stdout)] == ["waiting"]
        run.terminate()
        run.communicate(timeout=30)
    assert not os.path.exists(f"{data}/ran")
    assert {r["event"] for r in person.records()[records:]} <= {"session.open", "consent", "session.stop", "session.close"}


def test_code_that_changes_while_the_question_waits_does_not_start(person):
    script = project(person, "pkg", "process.exit(0)")
    with subprocess.Popen([STOCKADE, "run", "--", "node", script], env=person.env, cwd=person.work, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        text = answer_waiting(person, lambda: project(person, "pkg", "process.exit(7)"))
        _, err = run.communicate(timeout=120)
    assert run.returncode == 125, text + err
    assert "changed while the question waited" in err


def test_whoever_hands_over_the_code_of_an_approved_server_is_told(person):
    other = project(person, "other", "")
    script = project(person, "pkg", "")
    os.chmod(f"{person.work}/other", 0o777)
    words = ("approve", "--print-digest", "--rw", f"{person.work}/other", "--", "node", script)
    assert "may rewrite the code" not in person.stockade(*words, check=0).stderr
    person.approve("--", "node", other)
    assert "may rewrite the code of the approved server 'good.js'" in person.stockade(*words, check=0).stderr


def test_code_that_a_running_server_may_write_is_not_remembered(person):
    """A server that can rewrite its own code is in no approval, and can rewrite its neighbour's just as well."""
    person.write("own/package.json", "{}")
    own = person.write("own/own.js", "process.stdin.resume()")
    other = project(person, "other", "")
    for d in ("", "own", "other"):
        os.chmod(f"{person.work}/{d}", 0o777)
    person.approve("--", "node", other)
    with subprocess.Popen([STOCKADE, "run", "--rw", person.work, "--", "node", own], env=person.env, cwd=person.work,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        answer_waiting(person, lambda: None)
        until(lambda: [s for s in json.loads(person.stockade("ps", "--json").stdout or "[]") if s["state"] == "running"])
        assert person.stockade("run", "--", "node", other).returncode == 125
        run.communicate("", timeout=120)
    r = person.stockade("run", "--", "node", other)
    assert r.returncode == 0, r.stderr


def test_a_commit_asks_nothing_and_code_that_lies_in_git_is_bound(person):
    script = project(person, "pkg", "")
    for name, text in (("HEAD", "ref: refs/heads/main"), ("objects/x", ""), ("hooks/run.js", "")):
        person.write(f"pkg/.git/{name}", text)
    inside = f"{person.work}/pkg/.git/hooks/run.js"
    loads = ("--", "node", "-r", inside, script)
    before = [digest(person, *words) for words in (("--", "node", script), ("--", "node", inside), loads)]
    person.write("pkg/.git/hooks/run.js", "process.exit(7)")
    person.write("pkg/.git/HEAD", "ref: refs/heads/other")
    after = [digest(person, *words) for words in (("--", "node", script), ("--", "node", inside), loads)]
    assert [a == b for a, b in zip(before, after)] == [True, False, False]


BELOW_USR = """set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=0755 tmpfs /usr/local/lib
cd /usr/local/lib
mkdir -p node_modules/srv node_modules/dep
echo 'require("dep")' >node_modules/srv/index.js
echo 'process.exit(0)' >node_modules/dep/index.js
echo '' >node_modules/dep/data
set -- "$1" -- node /usr/local/lib/node_modules/srv/index.js
stockade=$1; shift
digest() { "$stockade" approve --print-digest "$@" 2>/dev/null; }
run() { status=0; "$stockade" run "$@" </dev/null 2>/dev/null || status=$?; echo "$status"; }
byroot=$(digest "$@"); echo x >node_modules/dep/data
[ "$byroot" = "$(digest "$@")" ] || echo "what root alone can change is bound by content"
chown -R 65534 node_modules/dep
d=$(digest "$@")
"$stockade" approve --digest "$d" "$@" 2>/dev/null >&2
echo "approved: $(run "$@")"
echo 'process.exit(7)' >node_modules/dep/index.js
[ "$d" != "$(digest "$@")" ] || echo "the change does not show in the digest"
echo "changed: $(run "$@")"
"""


@pytest.mark.root
@pytest.mark.needs("root")
def test_a_dependency_below_usr_that_a_user_may_change_is_bound(person):
    """The entry is root's and known by its path; the package beside it is not."""
    r = subprocess.run(["unshare", "-m", "sh", "-c", BELOW_USR, "sh", STOCKADE], env=person.env, cwd=person.work,
                       stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=120)
    assert r.stdout == "approved: 0\nchanged: 125\n", r.stdout + r.stderr
