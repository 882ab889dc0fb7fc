#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The main job on real input: a real client, the real filesystem server, a question, denials, and the log of it all.

Every step says what it expects and fails the demo when that is not what happened; each denial stands beside a control
that shows the same attempt succeed without stockade. Nothing leaves the machine.
"""
import json
import os
import pty
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time

STAGE = os.environ["STOCKADE_STAGE"]
STOCKADE = f"{STAGE}/prefix/bin/stockade"
MODULES = os.environ.get("STOCKADE_NODE_MODULES", f"{STAGE}/demo/node_modules")
HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = f"{MODULES}/@modelcontextprotocol/server-filesystem/dist/index.js"
SHOPPING = "- buy milk\n- build a stockade\n"
SECRET = "-----BEGIN OPENSSH PRIVATE KEY----- (a made-up one)"
BOLD, GREEN, DIM, END = ("\033[1m", "\033[32m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("",) * 4


def title(text):
    print(f"\n{BOLD}{text}{END}", flush=True)


def shown(text):
    for line in text.replace("\r", "").rstrip().splitlines():
        print(f"{DIM}  | {END}{line}", flush=True)


def expect(true, text, evidence=""):
    if not true:
        print(f"  FAILED: {text}\n  saw: {evidence}", flush=True)
        sys.exit(1)
    print(f"  {GREEN}ok{END} {text}", flush=True)


class Demo:
    def __init__(self, base):
        self.home = f"{base}/home"
        self.env = {"HOME": self.home, "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "xterm", "NO_COLOR": "1",
                    "USER": os.environ.get("USER", ""), "LOGNAME": os.environ.get("LOGNAME", ""), "SHELL": "/bin/bash",
                    "STOCKADE_NODE_MODULES": MODULES}
        self.put("notes/todo.md", SHOPPING)
        self.put(".ssh/id_ed25519", SECRET + "\n")
        self.put(".config/stockade/profiles/files.json", json.dumps(self.profile(), indent=2) + "\n")

    def put(self, name, text):
        path = f"{self.home}/{name}"
        os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def read(self, name):
        with open(f"{self.home}/{name}", encoding="utf-8") as f:
            return f.read()

    def profile(self):
        # The server itself is told that it may serve the whole home: only the stockade stands in its way.
        return {"stockade": 1, "name": "files", "version": 1, "description": "the notes, to read",
                "command": ["node", SERVER, self.home],
                "filesystem": {"read": ["~/notes"]},
                "tools": {"allow": ["read_*", "list_*", "search_*", "get_file_info", "directory_tree"], "deny": ["list_directory_with_sizes"]}}

    def stockade(self, *words):
        return subprocess.run([STOCKADE, *words], env=self.env, cwd=self.home, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)

    def client(self, command, calls, waits=False):
        job = {"command": command[0], "args": command[1:], "cwd": self.home, "calls": calls, "waits": waits,
               "env": {"HOME": self.home, "PATH": self.env["PATH"]}}
        return subprocess.Popen(["node", f"{HERE}/client.mjs", json.dumps(job)], env=self.env, cwd=self.home,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def answers(self, client):
        try:
            out, err = client.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            client.kill()
            out, err = client.communicate()
        expect(client.returncode == 0, "the client connected and went through its calls", err)
        return json.loads(out)

    def at_a_terminal(self, words, typed):
        """A person's own terminal: shows what it shows, types one answer when it asks."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execve(STOCKADE, [STOCKADE, *words], self.env)
        text, answered, end = "", False, time.monotonic() + 15
        while time.monotonic() < end and select.select([fd], [], [], 15)[0]:
            try:
                data = os.read(fd, 65536)
            except OSError:
                break
            if not data:
                break
            text += data.decode("utf-8", "replace")
            if not answered and re.search(r"\[y/N\]\s*$", text):
                os.write(fd, typed.encode())
                answered = True
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), answered, text


def running(words):
    """Is there a process with exactly this command line?"""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as f:
                if f.read().rstrip("\0").split("\0") == words:
                    return True
        except OSError:
            pass
    return False


def own_address():
    """An address of this machine that is not loopback; nothing is sent to learn it."""
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.connect(("192.0.2.1", 9))
        return s.getsockname()[0]
    except OSError:
        return "127.0.0.1"
    finally:
        s.close()


def approve_and_call(d):
    title("1. A client starts the server. Nothing runs before a person has seen the command")
    print(f"  its configuration: {{\"command\": \"{STOCKADE}\", \"args\": [\"run\", \"files\"]}}")
    calls = [{"name": "read_text_file", "args": {"path": f"{d.home}/notes/todo.md"}},
             {"name": "write_file", "args": {"path": f"{d.home}/notes/todo.md", "content": "gone"}},
             {"name": "read_text_file", "args": {"path": f"{d.home}/.ssh/id_ed25519"}}]
    client = d.client([STOCKADE, "run", "files"], calls, waits=True)
    end = time.monotonic() + 15
    while not json.loads(d.stockade("approve", "--json").stdout) and client.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    expect(client.poll() is None and time.monotonic() < end, "the launch waits", client.poll())
    expect(not running(["node", SERVER, d.home]), "and no server runs")
    print("  the person, in a terminal: stockade approve files")
    status, asked, text = d.at_a_terminal(["approve", "files"], "y\n")
    shown(text)
    expect(asked and status == 0, "the question was asked, and 'y' approved it", text)
    expect(SERVER in text.replace("\r\n", "") and "notes" in text, "it showed the whole command and the grant", text)

    title("2. The same client, which never noticed")
    tools, read, write, key = d.answers(client)
    expect(tools["first"] == [], "while the question stood it was connected, and its list of tools was empty", tools)
    expect("read_text_file" in tools["tools"], f"then it sees {len(tools['tools'])} tools, without a restart: {', '.join(tools['tools'])}")
    expect("write_file" not in tools["tools"], "tools that the profile denies are not listed")
    expect("build a stockade" in read["text"], "an allowed call works: read_text_file ~/notes/todo.md", read)

    title("3. What the profile does not grant")
    shown(write["text"])
    expect(write["isError"] and "files.json" in write["text"], "write_file is denied, with the rule", write)
    expect(d.read("notes/todo.md") == SHOPPING, "and the file is as it was")
    shown(key["text"])
    expect(key["isError"] and SECRET not in key["text"] and "ENOENT" in key["text"], "~/.ssh/id_ed25519 does not exist in there", key)
    bare = d.answers(d.client(["node", SERVER, d.home], [calls[2]]))[1]
    expect(SECRET in bare["text"], "the control: without stockade the same call reads the key", bare)


def no_route(d):
    title("4. A server that phones home")
    with socket.create_server((own_address(), 0)) as listener:
        host, port = listener.getsockname()[:2]
        call = [{"name": "connect", "args": {"host": host, "port": port}}]
        command = ["node", f"{HERE}/caller.mjs"]
        digest = d.stockade("approve", "--print-digest", "--", *command).stdout.strip().splitlines()[-1]
        expect(d.stockade("approve", "--digest", digest, "--", *command).returncode == 0, "approved by digest, as a script does it")
        inside = d.answers(d.client([STOCKADE, "run", "--", *command], call))[1]
        expect(inside["text"] == "ENETUNREACH", f"a connection to {host}:{port} has no route: {inside['text']}", inside)
        bare = d.answers(d.client(command, call))[1]
        expect(bare["text"] == "connected", "the control: without stockade it connects", bare)


# What the steps before must have left in the log: event, tool, decision.
RECORDED = (("session.open", None, None), ("tool.call", "read_text_file", "allow"), ("tool.call", "write_file", "deny"),
            ("tool.call", "connect", "allow"), ("session.close", None, None))


def the_log(d):
    title("5. The log of it all")
    log = d.stockade("audit", "show")
    shown("\n".join(ln if len(ln) < 170 else ln[:167] + "..." for ln in log.stdout.splitlines()))
    records = [json.loads(line) for line in d.stockade("audit", "show", "--json").stdout.splitlines()]
    seen = {(r["event"], r.get("tool"), r.get("decision")) for r in records}
    for event, tool, decision in RECORDED:
        expect((event, tool, decision) in seen, f"it holds {' '.join(filter(None, (event, tool, decision)))}", log.stdout)
    r = d.stockade("audit", "verify")
    shown(r.stdout)
    expect(r.returncode == 0, "verified: nothing altered, missing or out of order", r.stdout)
    print("  somebody makes the denied call an allowed one, in the file itself")
    expect(alter(f"{d.home}/.local/state/stockade/audit", '"deny"', '"allow"'), "one record was altered")
    r = d.stockade("audit", "verify")
    shown(r.stdout)
    expect(r.returncode == 1, "the control: now it is not verified", r.stdout)


def alter(directory, old, new):
    """Puts new for the first old in any file of the directory; was there one?"""
    for path in (f"{directory}/{name}" for name in sorted(os.listdir(directory))):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        if old in text:
            os.chmod(path, 0o600)
            with open(path, "w", encoding="utf-8") as f:
                f.write(text.replace(old, new, 1))
            return True
    return False


def main():
    start = time.monotonic()
    base = tempfile.mkdtemp(prefix="stockade-demo-", dir="/tmp")
    os.chmod(base, 0o755)
    try:
        d = Demo(base)
        approve_and_call(d)
        no_route(d)
        the_log(d)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(f"\n{BOLD}Every step did what it says, in {time.monotonic() - start:.1f} s.{END}")


if __name__ == "__main__":
    main()
