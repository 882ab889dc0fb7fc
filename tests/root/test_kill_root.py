# SPDX-License-Identifier: Apache-2.0
"""What root kills is killed for every user; full disks, no inotify, many sessions: a kill reaches what runs all the same.

Root's entries of a test lie over /etc/stockade in a mount namespace of its own.
"""
import contextlib
import glob
import json
import os
import signal
import socket
import subprocess
import uuid

import pytest
from integration.harness import ODD, PATIENCE, STOCKADE, Wire, processes, until
from root.test_inventory_as_root import Silent

pytestmark = [pytest.mark.root, pytest.mark.needs("root")]

USER = 4242  # nobody has that number
RUN = 'if [ -d "$0/../users" ]; then mount --rbind "$0/../users" /run/user; fi && mount --bind "$0" /etc/stockade && '
OVER = RUN + 'exec setpriv --reuid={0} --regid={0} --clear-groups -- "$@"'
SMALL = 'mount -t tmpfs -o size=512k,mode=0700,uid={0},gid={0} none "$1" && shift && '
# Holds all instances of inotify that the user may have, but so many.
HOG = """
import ctypes, os, sys
libc, held = ctypes.CDLL(None), []
while (fd := libc.inotify_init1(0o2000000)) >= 0:
    held.append(fd)
for _ in range(int(sys.argv[1])):
    os.close(held.pop())
print("held", flush=True)
sys.stdin.read()
"""


class User:
    """One who is not root, with sessions in a mount namespace of the test's."""

    def __init__(self, person, number=USER):
        self.person, self.etc, self.number = person, f"{person.base}/etc", number
        os.makedirs(self.etc, 0o755, exist_ok=True)
        self.home = f"{person.base}/other-{number}"
        os.mkdir(self.home, 0o755)
        os.chown(self.home, number, number)
        self.env, self.root_env = {**person.env, "HOME": self.home}, {**person.env, "HOME": person.home}
        self.mark = "mark-" + uuid.uuid4().hex
        self.state = f"{self.home}/.local/state/stockade"

    def under(self, *words, before=""):
        over = OVER.format(self.number).replace("exec setpriv", before.format(self.number) + "exec setpriv")
        return ["unshare", "-m", "sh", "-c", over, self.etc, *([f"{self.state}"] if before else []), *words]

    @contextlib.contextmanager
    def few_watches(self, n):
        """So many instances of inotify are left, for all that this user runs."""
        with subprocess.Popen(self.under("/usr/bin/python3", "-c", HOG, str(n)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as hog:
            assert hog.stdout.readline() == "held\n"
            yield
            hog.stdin.close()

    def stockade(self, *words, check=None, **kw):
        r = subprocess.run(self.under(STOCKADE, *words, **kw), env=self.env, cwd=self.person.work, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def profile(self, name, **more):
        """One that is approved."""
        directory = f"{self.home}/.config/stockade/profiles"
        os.makedirs(directory, mode=0o700, exist_ok=True)
        path = f"{directory}/{name}.json"
        with open(path, "w", encoding="utf-8") as f:
            json.dump({"stockade": 1, "name": name, "version": 1, "command": [*ODD, self.mark], **more}, f)
        for base, dirs, files in os.walk(self.home):
            for entry in [*dirs, *files]:
                os.chown(os.path.join(base, entry), self.number, self.number)
        self.approve(name)

    def approve(self, name, **kw):
        digest = self.stockade("approve", "--print-digest", name, check=0, **kw).stdout.strip()
        self.stockade("approve", "--digest", digest, name, check=0, **kw)

    def start(self, *words, **kw):
        return Wire(self.under(STOCKADE, "run", *words, **kw), env=self.env, cwd=self.person.work)

    def drop(self, name, server, tool=None):
        """Root's entry, as root's kill writes it."""
        directory = f"{self.etc}/kill.d"
        os.makedirs(directory, mode=0o755, exist_ok=True)
        entry = {"stockade": 1, "server": server, **({"tool": tool} if tool else {}), "who": "root", "when": "2026-10-01T12:00:00Z", "why": "SEC-5"}
        with open(f"{directory}/.{name}", "w", encoding="utf-8") as f:
            json.dump(entry, f)
        os.chmod(f.name, 0o644)
        os.rename(f.name, f"{directory}/{name}")
        return f"{directory}/{name}"

    def under_root(self, *words, bind="--bind"):
        """Root's own stockade, with the same /etc/stockade over the real one."""
        return ["unshare", "-m", "sh", "-c", RUN.replace("--bind", bind) + 'exec "$@"', self.etc, STOCKADE, *words]

    def as_root(self, *words, check=None):
        r = subprocess.run(self.under_root(*words), env=self.root_env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           text=True, timeout=120, check=False)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r


@pytest.fixture
def user(person):
    made = not os.path.isdir("/etc/stockade")
    if made:
        os.mkdir("/etc/stockade", 0o755)
    yield User(person)
    if made:
        os.rmdir("/etc/stockade")


@pytest.fixture
def two(user):
    """Two users with a runtime directory each, as a login manager makes them."""
    both = [user, User(user.person, USER + 1)]
    os.mkdir(f"{user.person.base}/users", 0o755)
    for one in both:
        one.runtime = f"{user.person.base}/users/{one.number}"
        os.mkdir(one.runtime, 0o700)
        os.chown(one.runtime, one.number, one.number)
        one.profile("odd")
    return both


def ready(w):
    w.initialize()
    return w


def test_what_root_kills_ends_another_users_session_and_only_root_lifts_it(user):
    user.profile("odd")
    w = ready(user.start("odd"))
    r = user.as_root("kill", "--why", "SEC-5", "odd", check=0)
    assert "/etc/stockade/kill.d/server.odd.json" in r.stderr, r.stderr
    assert w.wait() == 125 and b"by root since" in w.err and b"SEC-5" in w.err, w.err
    assert not processes(user.mark)
    assert "SEC-5" in user.stockade("run", "odd", check=125).stderr
    r = user.stockade("restore", "odd", check=125)
    assert "only root can lift that" in r.stderr, r.stderr
    listed = json.loads(user.stockade("kills", "--json", check=0).stdout)
    assert [(e["source"], e["server"], e["who"]) for e in listed] == [("root", "odd", "root")]
    user.as_root("restore", "odd", check=0)
    w = ready(user.start("odd"))
    assert w.end() == 0


def test_root_tells_and_ends_the_sessions_of_every_user_itself(two):
    """Where every supervisor is stopped, no watching of theirs can be what ended them."""
    first, second = [ready(one.start("odd")) for one in two]
    os.kill(first.p.pid, signal.SIGSTOP)
    os.kill(second.p.pid, signal.SIGSTOP)
    r = two[0].as_root("kill", "odd", check=0)
    assert "2 sessions ended" in r.stderr and "2 did not answer" in r.stderr, r.stderr
    assert not processes(two[0].mark) and not processes(two[1].mark)
    for w in (first, second):
        os.kill(w.p.pid, signal.SIGCONT)
        assert w.wait() == 125 and b"by root since" in w.err, w.err


def test_root_tells_the_sessions_of_every_user_of_a_tool(two):
    both = [ready(one.start("odd")) for one in two]
    r = two[0].as_root("kill", "odd", "echo", check=0)
    assert "2 sessions were told" in r.stderr, r.stderr
    for w in both:
        assert w.call("echo", {"text": "x"})["result"]["isError"]
    two[0].as_root("restore", "odd", "echo", check=0)
    for w in both:
        until(lambda w=w: not w.call("echo", {"text": "x"})["result"].get("isError"))
        assert w.end() == 0


def entry_of(pid, session, init):
    """A registry entry of a session that never was."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        start = int(f.read().rsplit(")", 1)[1].split()[19])
    with open(f"/proc/{init}/stat", encoding="utf-8") as f:
        init_start = int(f.read().rsplit(")", 1)[1].split()[19])
    return {"session": session, "name": "fake", "client": "", "digest": "", "pid": pid, "start": start, "init_pid": init,
            "init_start": init_start, "since": 0}


def test_root_believes_nothing_that_a_user_has_laid_down(two):
    """Entries that name others' processes, links to others' sockets, FIFOs, another's directory: nobody else is touched, and root waits for none."""
    victim = ready(two[0].start("odd"))
    listed = json.loads(two[0].stockade("ps", "--json", check=0).stdout)[0]["session"]
    with open(f"{two[0].runtime}/stockade/sessions/{listed}.json", encoding="utf-8") as f:
        found = json.load(f)
    liar, third = two[1], f"{two[0].person.base}/users/{USER + 2}"
    sessions = f"{liar.runtime}/stockade/sessions"
    os.makedirs(sessions, 0o700, exist_ok=True)
    size = len(listed)
    as_liar = ["setpriv", f"--reuid={liar.number}", f"--regid={liar.number}", "--clear-groups"]
    others = [subprocess.Popen([*as_whom, "sleep", "1000"]) for as_whom in ([], as_liar)]  # pylint: disable=consider-using-with
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(f"{two[0].person.base}/heard")
    names = [f"{i:0{size}d}" for i in range(6)]
    # PID 1 of another user's session; a process of root's; one of theirs that is PID 1 of nothing.
    for name, init in zip(names, (found["init_pid"], others[0].pid, others[1].pid)):
        with open(f"{sessions}/{name}.json", "w", encoding="utf-8") as f:
            json.dump(entry_of(os.getpid(), name, init), f)
    os.mkfifo(f"{sessions}/{names[3]}.json")
    os.mkfifo(f"{sessions}/{names[3]}.kill")
    os.symlink(f"{two[0].person.base}/heard", f"{sessions}/{names[4]}.kill")
    os.link(f"{two[0].person.base}/heard", f"{sessions}/{names[5]}.kill")
    for base, dirs, files in os.walk(liar.runtime):
        for name in [*dirs, *files]:
            if name != f"{names[5]}.kill":
                os.chown(os.path.join(base, name), liar.number, liar.number, follow_symlinks=False)
    # What another has is not this one's.
    os.symlink(two[0].runtime, third)
    r = two[0].as_root("kill", "fake", check=0)
    assert "no session of it was found; one that keeps its runtime directory elsewhere" in r.stderr, r.stderr
    assert [p.poll() for p in others] == [None, None]
    assert victim.call("echo", {"text": "here"})["result"]["content"][0]["text"] == "here"
    heard.setblocking(False)
    with pytest.raises(BlockingIOError):
        heard.recv(4096)
    for p in others:
        p.kill()
        p.wait()
    heard.close()
    assert victim.end() == 0


# Answers every order that comes to the socket argv[1] as the session argv[2], through whatever it was given, and says on stdout what that is. Through a
# socket comes a descriptor beside it whose end nobody sees. argv[3]: how often.
ANSWERS = """
import array, os, socket, stat, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
said, never = f"{sys.argv[2]} obeyed".encode(), os.pipe()
while True:
    fd = socket.recv_fds(s, 1 << 16, 4)[1][0]
    pipe = stat.S_ISFIFO(os.fstat(fd).st_mode)
    print("pipe" if pipe else "socket", flush=True)
    os.set_blocking(fd, True)
    try:
        for _ in range(int(sys.argv[3])):
            if pipe:
                os.write(fd, said.ljust(48, b"\\0"))
            else:
                socket.socket(fileno=os.dup(fd)).sendmsg([said], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [never[0]]))])
    except OSError:
        pass
    os.close(fd)
"""


def as_user(one, *words, **kw):
    return subprocess.Popen(["setpriv", f"--reuid={one.number}", f"--regid={one.number}", "--clear-groups", *words], stdout=subprocess.PIPE, text=True,
                            **kw)


def session_of(one):
    return json.loads(one.stockade("ps", "--json", check=0).stdout)[0]["session"]


@pytest.mark.parametrize("times", [1, 1 << 30], ids=["once", "without end"])
def test_who_answers_in_the_place_of_a_session_spares_nobody_and_gives_root_no_descriptor(two, times):
    """The session's supervisor is stopped, and its name is taken by a program that says it has obeyed."""
    liar, other = two
    w, honest = ready(liar.start("odd")), ready(other.start("odd"))
    name = f"{liar.runtime}/stockade/sessions/{session_of(liar)}"
    os.kill(w.p.pid, signal.SIGSTOP)
    os.rename(f"{name}.kill", f"{name}.away")
    with as_user(liar, "/usr/bin/python3", "-c", ANSWERS, f"{name}.kill", os.path.basename(name), str(times)) as answers:
        assert answers.stdout.readline() == "bound\n"
        assert processes(liar.mark), "they run, and only an order could end them"
        r = liar.as_root("kill", "odd", check=0)
        assert answers.stdout.readline() == "pipe\n"
        answers.kill()
    assert "2 sessions ended" in r.stderr, r.stderr
    assert not processes(liar.mark) and not processes(other.mark)
    os.kill(w.p.pid, signal.SIGCONT)
    assert w.wait() == 125 and honest.wait() == 125


def test_a_registry_that_lies_about_the_supervisor_saves_no_server(two):
    liar = two[0]
    w = ready(liar.start("odd"))
    name = f"{liar.runtime}/stockade/sessions/{session_of(liar)}"
    with open(f"{name}.json", encoding="utf-8") as f:
        says = json.load(f)
    with open(f"{name}.json", "w", encoding="utf-8") as f:
        json.dump({**says, "pid": 4194303, "start": 1, "pid_namespace": 1}, f)
    os.kill(w.p.pid, signal.SIGSTOP)
    r = liar.as_root("kill", "odd", check=0)
    assert "1 did not answer" in r.stderr and not processes(liar.mark), r.stderr
    os.kill(w.p.pid, signal.SIGCONT)
    assert w.wait() == 125


def test_a_session_that_says_nothing_and_is_in_no_list_is_told_of(two):
    liar = two[0]
    w = ready(liar.start("odd"))
    os.remove(f"{liar.runtime}/stockade/sessions/{session_of(liar)}.json")
    os.kill(w.p.pid, signal.SIGSTOP)
    r = liar.as_root("kill", "odd", check=0)
    assert f"sessions of user {liar.number} (1 of them says nothing" in r.stderr and "by watching for the entry" in r.stderr, r.stderr
    assert processes(liar.mark), "nobody can tell from outside what it runs"
    os.kill(w.p.pid, signal.SIGCONT)
    assert w.wait() == 125 and b"by root since" in w.err, w.err


@pytest.mark.needs("fuse")
def test_a_file_system_of_a_users_that_answers_nothing_keeps_root_from_nobody_else(two):
    """Over the runtime directory, over stockade's, and over names in it; another's is a tmpfs, as a login manager makes it."""
    base, liar = f"{two[0].person.base}/users", two[1]
    sessions = f"{liar.runtime}/stockade/sessions"
    others = [f"{base}/{USER + 2}", f"{base}/{USER + 3}"]
    os.makedirs(f"{sessions}/{'0' * 32}.kill", 0o700)
    os.makedirs(f"{sessions}/{'1' * 32}.json", 0o700)
    os.mkdir(others[0], 0o700)
    os.makedirs(f"{others[1]}/stockade", 0o700)
    for top in (liar.runtime, *others):
        for path in [top, *(f"{base}/{d}" for base, dirs, _ in os.walk(top) for d in dirs)]:
            os.chown(path, int(os.path.basename(top)), int(os.path.basename(top)))
    own = two[0].number
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=0700,uid={own},gid={own}", "none", two[0].runtime], check=True)
    both = [ready(one.start("odd")) for one in two]
    for w in both:
        os.kill(w.p.pid, signal.SIGSTOP)
    paths = (others[0], f"{others[1]}/stockade", f"{sessions}/{'0' * 32}.kill", f"{sessions}/{'1' * 32}.json")
    silent = [Silent(path, ",allow_other") for path in paths]
    with subprocess.Popen(two[0].under_root("kill", "--json", "odd"), env=two[0].root_env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as p:
        try:
            told = json.loads(p.communicate(timeout=PATIENCE)[0])
        finally:  # whoever waits for one of them cannot even be killed
            for one in silent:
                one.end()
    assert p.returncode == 0
    assert not processes(two[0].mark) and not processes(liar.mark)
    for w in both:
        os.kill(w.p.pid, signal.SIGCONT)
        assert w.wait() == 125
    subprocess.run(["umount", "-l", two[0].runtime], check=True)
    assert (told["sessions"], told["forced"], told["failed"]) == (2, 2, []), told
    assert sorted((n["user"], n["why"].partition(": ")[2]) for n in told["not_looked_at"]) == [
        (USER + 2, "a file system of type 'fuse' is mounted there"),
        (USER + 3, "its stockade/sessions cannot be used: something is mounted there")], told


def unlisted(sessions):
    """The one session there is in no list from now on: an order alone can end it."""
    path, = glob.glob(f"{sessions}/*.json")
    os.remove(path)


@pytest.mark.needs("fuse")
def test_whoever_comes_while_root_writes_the_entry_is_told_as_well(two):
    """A session of a user who was told before, and one of a user who logs in: nothing is written in the end, and so nothing else tells them."""
    first, later = two
    entries, away = f"{first.etc}/kill.d", f"{first.person.base}/away"
    os.mkdir(entries, 0o755)
    os.rename(later.runtime, away)
    w = ready(first.start("odd"))
    silent = Silent(entries, ",allow_other")
    with subprocess.Popen(first.under_root("kill", "odd", bind="--rbind"), env=first.root_env, stdin=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True) as p:
        try:
            assert w.wait() == 125 and not processes(first.mark)
            os.rename(away, later.runtime)
            late = [ready(one.start("odd")) for one in two]
            for one in two:
                unlisted(f"{one.runtime}/stockade/sessions")
            assert p.poll() is None, "it waits for the disk"
        finally:
            silent.end()
        said = p.communicate(timeout=60)[1]
    assert p.returncode == 125 and "it does not hold" in said, said
    for one in late:
        assert one.wait() == 125 and b"by root since" in one.err, one.err


def mute(one, count):
    """So many sockets that take orders and never say anything."""
    script = ("import resource, socket, sys\nresource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))\nv = []\n"
              "for i in range(int(sys.argv[2])):\n    v.append(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))\n"
              "    v[-1].bind(f'{sys.argv[1]}/{i:032x}.kill')\nprint('bound', flush=True)\nsys.stdin.read()\n")
    p = as_user(one, "/usr/bin/python3", "-c", script, f"{one.runtime}/stockade/sessions", str(count), stdin=subprocess.PIPE)
    assert p.stdout.readline() == "bound\n"
    return p


def more_users(user, first, count, below=""):
    """Without a home: only a runtime directory."""
    made = []
    for number in range(first, first + count):
        one = User.__new__(User)
        one.number, one.runtime = number, f"{user.person.base}/users/{number}"
        os.makedirs(one.runtime + below, 0o700)
        for base, _, _ in os.walk(one.runtime):
            os.chown(base, number, number)
        made.append(one)
    return made


def test_users_who_do_not_answer_are_waited_for_all_at_once(two):
    """Half a second each for a tool: one after the other they would take ten."""
    others = more_users(two[0], USER + 10, 20, "/stockade/sessions")
    deaf = [mute(one, 1) for one in others]
    w = ready(two[0].start("odd"))
    told = json.loads(two[0].as_root("kill", "--json", "odd", "echo", check=0).stdout)
    assert w.call("echo", {"text": "x"})["result"]["isError"]
    for p in deaf:
        p.communicate("")
    assert w.end() == 0
    assert told["sessions"] == 1 and told["took_us"] < 5_000_000, told
    assert len(told["not_looked_at"]) == 20, told


def test_what_nobody_has_looked_at_is_said(two):
    """Names without end, more sessions than are told, what is not the user's, and more users than are looked at."""
    user = two[0]
    many, full, _ = others = more_users(user, USER + 10, 3, "/stockade/sessions")
    os.chown(f"{others[2].runtime}/stockade", 0, 0)
    os.chmod(f"{others[2].runtime}/stockade/sessions", 0o777)
    for i in range(16500):
        os.close(os.open(f"{many.runtime}/stockade/sessions/{i}", os.O_CREAT | os.O_WRONLY))
    p = mute(full, 1030)
    told = json.loads(user.as_root("kill", "--json", "odd", check=0).stdout)["not_looked_at"]
    said = {n["user"]: n["why"] for n in told}
    assert "names without end" in said[many.number] and "or others can write it" in said[others[2].number], told
    assert any("more than 1024 sessions" in n["why"] for n in told if n["user"] == full.number), told
    more_users(user, USER + 100, 140)
    r = user.as_root("kill", "odd", check=0)
    assert "Not looked at: sessions of other users (there are more than 128 users in /run/user)" in r.stderr, r.stderr
    p.communicate("")


def test_where_root_is_not_mapped_its_directory_kills_everything_and_the_words_say_why(user):
    """As in a container of the user's own: a directory there could be anybody's."""
    user.profile("odd")
    contained = ["unshare", "--user", "--map-current-user"]
    r = subprocess.run(user.under(*contained, STOCKADE, "kills"), env=user.env, cwd=user.person.work, capture_output=True, text=True, timeout=60,
                       check=False)
    assert r.returncode == 0 and "mapped" not in r.stdout + r.stderr, r.stdout + r.stderr
    os.mkdir(f"{user.etc}/kill.d", 0o755)
    for words in (["kills"], ["run", "odd"]):
        r = subprocess.run(user.under(*contained, STOCKADE, *words), env=user.env, cwd=user.person.work, stdin=subprocess.DEVNULL,
                           capture_output=True, text=True, timeout=60, check=False)
        assert "uid 0 is not mapped" in r.stdout + r.stderr and "map uid 0 into it" in r.stdout + r.stderr, r.stdout + r.stderr
        assert words == ["kills"] or r.returncode == 125
    assert "mapped" not in user.stockade("kills", check=0).stdout
    assert ready(user.start("odd")).end() == 0


@pytest.mark.parametrize("how", ["an order", "a file that is dropped in"])
def test_requests_under_way_are_answered_when_root_kills_by(user, how):
    user.profile("odd")
    w = ready(user.start("odd"))
    for ident in ("one", "two"):
        w.send({"jsonrpc": "2.0", "id": ident, "method": "tools/call", "params": {"name": "never", "arguments": {}}})
    w.call("echo", {"text": "they have come by now"})
    if how == "an order":
        user.as_root("kill", "--why", "SEC-5", "odd", check=0)
    else:
        user.drop("server.odd.json", "odd")
    for ident in ("one", "two"):
        error = w.answer(ident)["error"]["message"]
        assert "kill switch" in error and "SEC-5" in error and "restore" not in error, error
    assert w.wait() == 125 and not processes(user.mark)


def test_roots_directory_that_comes_while_sessions_run_is_noticed(user):
    user.profile("odd")
    w = ready(user.start("odd"))
    assert not os.path.exists(f"{user.etc}/kill.d")
    user.drop("SEC-5.json", "*")
    assert w.wait() == 125 and b"SEC-5" in w.err, w.err


def test_a_tool_that_root_kills_is_gone_from_another_users_session(user):
    user.profile("odd")
    w = ready(user.start("odd"))
    names = {t["name"] for t in w.request("tools/list")["result"]["tools"]}
    assert "echo" in names
    path = user.drop("tool.odd@echo.json", "odd", "echo")
    while w.message().get("method") != "notifications/tools/list_changed":
        pass
    assert w.call("echo", {"text": "x"})["result"]["isError"]
    os.remove(path)
    while w.message().get("method") != "notifications/tools/list_changed":
        pass
    assert not w.call("echo", {"text": "x"})["result"].get("isError")
    assert w.end() == 0


@pytest.mark.parametrize("spoil", [lambda path: os.chmod(path, 0o666), lambda path: os.chown(path, USER, USER),
                                   lambda path: os.chmod(path, 0o000)], ids=["others can write it", "it is not root's", "nobody can read it"])
def test_a_file_among_roots_that_cannot_be_believed_kills_what_its_name_says(user, spoil):
    user.profile("odd")
    user.profile("even")
    path = user.drop("server.odd.json", "other")
    spoil(path)
    assert "cannot be read" in user.stockade("run", "odd", check=125).stderr
    w = ready(user.start("even"))
    assert w.end() == 0


def test_own_is_for_roots_sessions_alone(user):
    user.profile("odd")
    w = ready(user.start("odd"))
    user.as_root("kill", "--own", "odd", check=0)
    assert not os.path.exists(f"{user.etc}/kill.d")
    assert w.call("echo", {"text": "here"})["result"]["content"][0]["text"] == "here"
    assert w.end() == 0


def test_on_a_full_disk_a_kill_ends_what_runs_and_says_that_it_does_not_hold(user):
    """The state is a file system of some KB, which a file fills to the last byte."""
    user.profile("odd")
    os.makedirs(user.state, exist_ok=True)
    os.chown(user.state, USER, USER)
    script = (f'approve() {{ d=$({STOCKADE} approve --print-digest odd) && {STOCKADE} approve --digest "$d" odd; }}\n'
              'approve >/dev/null || exit 90\n'
              f'{STOCKADE} run odd < "$2" & session=$!\n'
              f'until {STOCKADE} ps --json | grep -q \'"state": "running"\'; do sleep 0.05; done\n'
              'cat /dev/zero > "$1/full" 2>/dev/null\n'
              f'{STOCKADE} kill --why "a full disk" odd; echo "kill $?" >&2\n'
              'wait $session; echo "session $?" >&2\n'
              f'{STOCKADE} kills --json\n')
    fifo = f"{user.person.base}/held"
    os.mkfifo(fifo, 0o666)
    os.chmod(fifo, 0o666)
    held = os.open(fifo, os.O_RDWR)
    command = user.under("sh", "-c", script, "sh", user.state, fifo, before=SMALL)
    env = {**user.env, "XDG_RUNTIME_DIR": ""}
    r = subprocess.run(command, env=env, cwd=user.person.work, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                       text=True, timeout=120, check=False)
    os.close(held)
    assert "kill 125" in r.stderr and "it does not hold" in r.stderr and "No space left" in r.stderr, r.stderr
    assert "session 125" in r.stderr and not processes(user.mark), r.stderr
    assert json.loads(r.stdout) == []


@pytest.mark.needs("fuse")
def test_on_a_disk_that_hangs_a_kill_ends_what_runs_before_it_writes_also_where_the_supervisor_is_stopped(user):
    user.profile("odd")
    entries = f"{user.state}/kill.d"
    os.makedirs(entries, 0o700)
    os.chown(entries, USER, USER)
    w = ready(user.start("odd"))
    os.kill(w.p.pid, signal.SIGSTOP)
    silent = Silent(entries, ",allow_other")
    with subprocess.Popen(user.under(STOCKADE, "kill", "odd"), env=user.env, cwd=user.person.work, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as p:
        try:
            until(lambda: not processes(user.mark))
            assert p.poll() is None, "it waits for the disk"
        finally:
            silent.end()
        said = p.communicate(timeout=60)[1]
    assert p.returncode == 125 and "it does not hold" in said and "1 did not answer" in said, said
    os.kill(w.p.pid, signal.SIGCONT)
    assert w.wait() == 125


@pytest.mark.needs("fuse")
def test_a_session_that_comes_while_its_user_kills_on_a_disk_that_hangs_is_told_as_well(user):
    """It sees another disk, on which no entry comes, and is in no list."""
    user.profile("odd")
    entries, sessions = f"{user.state}/kill.d", f"{user.state}/run/sessions"
    os.makedirs(entries, 0o700)
    os.chown(entries, USER, USER)
    w = ready(user.start("odd"))
    silent = Silent(entries, ",allow_other")
    with subprocess.Popen(user.under(STOCKADE, "kill", "odd"), env=user.env, cwd=user.person.work, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True) as p:
        try:
            assert w.wait() == 125 and not processes(user.mark)
            late = ready(user.start("odd", before='umount -l "$1/kill.d" && shift && '))
            unlisted(sessions)
            assert p.poll() is None, "it waits for the disk"
        finally:
            silent.end()
        said = p.communicate(timeout=60)[1]
    assert p.returncode == 125 and "it does not hold" in said, said
    assert late.wait() == 125


def test_without_inotify_a_session_looks_and_doctor_says_so(user):
    user.profile("odd")
    with user.few_watches(0):
        w = ready(user.start("odd"))
        doctor = json.loads(user.stockade("doctor", "--json").stdout)["checks"]
        found = next(c for c in doctor if c["name"] == "kill switch")
        assert found["result"] == "note" and "looks for entries every 500 ms" in found["found"], found
        user.drop("SEC-5.json", "odd")
        assert w.wait() == 125 and b"by root since" in w.err, w.err


def test_two_hundred_sessions_of_which_few_can_watch_end_by_an_entry_and_by_a_kill(user):
    """Half of them by a file that is dropped in, which those without inotify find when they look; the other half by the command."""
    for name in ("one", "two"):
        user.profile(name, command=["/usr/bin/sleep", "3600"])
    # 'ps' adds up the memory of each, which is too slow for a loop.
    script = ('count() { ls "$2" 2>/dev/null | grep -c json; }\n'
              'for i in $(seq 100); do for name in one two; do "$0" run $name < "$1" >/dev/null 2>>"$1.err" & done; done\n'
              'until [ "$(count "$@")" = 200 ]; do sleep 0.2; done\n'
              'echo started\nread go\n'
              'until [ "$(count "$@")" = 100 ]; do sleep 0.2; done\n'
              '"$0" kill --all 2>&1; echo "status $?"; wait; echo over\n')
    fifo = f"{user.person.base}/held"
    os.mkfifo(fifo)
    os.chmod(fifo, 0o666)
    held = os.open(fifo, os.O_RDWR)
    open(f"{fifo}.err", "wb").close()  # pylint: disable=consider-using-with
    os.chmod(f"{fifo}.err", 0o666)
    command = user.under("/bin/sh", "-c", script, STOCKADE, fifo, f"{user.state}/run/sessions")
    with user.few_watches(50), subprocess.Popen(command, env=user.env, cwd=user.person.work, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                text=True) as p:
        assert p.stdout.readline() == "started\n"
        user.drop("SEC-5.json", "one")
        said = p.communicate("go\n", timeout=240)[0]
    os.close(held)
    assert "100 sessions ended" in said and "status 0" in said and said.endswith("over\n"), said
    with open(f"{fifo}.err", encoding="utf-8") as f:
        ended = [line for line in f if ": killed by " in line]
    assert len(ended) == 200 and sum("SEC-5" in line for line in ended) == 100, ended[-3:]
