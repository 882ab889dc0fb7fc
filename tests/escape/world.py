# SPDX-License-Identifier: Apache-2.0
"""What there is to attack: a home with secrets, a project, other programs of the same user and what they listen on."""
import ctypes
import fcntl
import os
import pty
import shutil
import socket
import subprocess
import termios
import uuid

from integration.harness import STAGE, STOCKADE, Person, children, command_name, until

ATTEMPTS = f"{STAGE}/build/tests/escape/attempts"
HERE = os.path.dirname(os.path.abspath(__file__))
SECRET = "a-secret-of-the-user"

# name of a control: the words before the attempt
CONTROLS = {
    "plain": [],
    "root": ["unshare", "-Ur"],
    "root,mount": ["unshare", "-Urm"],
    "root,uts": ["unshare", "-Uru"],
    "root,net": ["unshare", "-Urn"],
    "root,time": ["unshare", "-Ur"],
    "unmountable": ["unshare", "-Urm", "sh", "-c", 'mount -t tmpfs none "$MOUNT" && exec "$@"', "sh"],
    "own root": ["unshare", "-Ur", "sh", "-c", 'shift; exec /usr/sbin/chroot "$BASE" /bin/attempts "$@"', "sh"],
    "network": ["unshare", "-Urn", "python3", f"{HERE}/own_network.py"],
}

FILES = {
    "home/.ssh/id_ed25519": "private key\n",
    "home/.bashrc": "export SECRET=1\n",
    "home/.aws/credentials": "aws_secret_access_key = x\n",
    "work/data/file.txt": "granted for reading\n",
    "work/data/sub/deep.txt": "granted for reading\n",
    "work/outside/secret.txt": "not granted\n",
    "etc/hosts": "for the control with a root of its own\n",
    "work/proj/a.txt": "granted for writing\n",
    "work/proj/.git/config": "[core]\n",
    "work/proj/.git/HEAD": "ref: refs/heads/main\n",
    "work/proj/.git/hooks/pre-commit.sample": "#!/bin/sh\n",
    "work/proj/.vscode/settings.json": "{}\n",
    "work/proj/.mcp.json": "{}\n",
    "work/proj/.envrc": "\n",
    "work/proj/CLAUDE.md": "read me\n",
    "work/proj/vendor/lib/.git/config": "[core]\n",
    "work/proj/vendor/lib/a.txt": "x\n",
    "work/proj/tree/.git": "gitdir: ../.git/worktrees/tree\n",
    "work/proj/.git/worktrees/tree/commondir": "../..\n",
}

LIBC = ctypes.CDLL(None, use_errno=True)
IPC_CREAT, IPC_RMID = 0o1000, 0


# in the words of an attempt: it is about a program of stockade's own
OURS = ("{supervisor}", "{shim}", "{stockade}", "stockade-shim")


def about_us(words):
    return any(ours in " ".join(words) for ours in OURS)


def child(parent, name):
    """The child of that process whose program is so called; None: not yet, or no more."""
    return next((p for p in children(parent) if command_name(p) == name[:15]), None)


def made(value):
    if value < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return value


class World(Person):
    def __init__(self):
        super().__init__()
        self.mark = "mark-" + uuid.uuid4().hex
        for path, text in FILES.items():
            full = f"{self.base}/{path}"
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as f:
                f.write(text)
        os.chmod(f"{self.home}/.ssh/id_ed25519", 0o600)
        os.symlink("../outside", f"{self.work}/proj/way-out")
        self.bin = f"{self.base}/bin/attempts"
        os.mkdir(os.path.dirname(self.bin))
        shutil.copy(ATTEMPTS, self.bin)
        self.env["A_SECRET"] = SECRET
        self.env["AWS_SECRET_ACCESS_KEY"] = SECRET
        self.env["LD_PRELOAD"] = "/nonexistent-preload.so"
        self.env["NODE_OPTIONS"] = "--require=/nonexistent.js"
        self.env["BASH_ENV"] = "/nonexistent.sh"
        self.env["SSH_AUTH_SOCK"] = f"{self.work}/outside/agent.sock"
        self.env["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={self.work}/outside/agent.sock"
        self.key = int.from_bytes(os.urandom(3), "big") + 1
        self.undo = []
        self.session = None  # the last one that was served
        self._neighbours()

    def _neighbours(self):
        """Another program of the user, with everything that one can leave about."""
        self.sleeper = subprocess.Popen([f"neighbour-{self.mark}", "600"], executable="/usr/bin/sleep")
        self._listen_unix(f"{self.work}/outside/agent.sock", socket.SOCK_STREAM)
        self._listen_unix(f"{self.work}/proj/agent.sock", socket.SOCK_STREAM)
        self._listen_unix(f"{self.work}/data/agent.sock", socket.SOCK_STREAM)
        self._listen_unix(f"{self.work}/proj/dgram.sock", socket.SOCK_DGRAM)
        self._listen_unix(f"\0{self.mark}", socket.SOCK_STREAM)
        lock = os.open(f"{self.work}/outside/secret.txt", os.O_RDWR)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.undo.append(lambda: os.close(lock))
        self.tcp4 = self._listen_tcp(socket.AF_INET, "127.0.0.1")
        self.tcp6 = self._listen_tcp(socket.AF_INET6, "::1")
        shm = made(LIBC.shmget(self.key, 4096, IPC_CREAT | 0o600))
        msg = made(LIBC.msgget(self.key, IPC_CREAT | 0o600))
        sem = made(LIBC.semget(self.key, 1, IPC_CREAT | 0o600))
        queue = made(LIBC.mq_open(f"/{self.mark}".encode(), os.O_CREAT | os.O_RDWR, 0o600, None))
        with open(f"/dev/shm/{self.mark}", "w", encoding="ascii") as f:
            f.write("shared")
        self.undo += [lambda: LIBC.shmctl(shm, IPC_RMID, None), lambda: LIBC.msgctl(msg, IPC_RMID, None),
                      lambda: LIBC.semctl(sem, 0, IPC_RMID), lambda: os.close(queue),
                      lambda: LIBC.mq_unlink(f"/{self.mark}".encode()), lambda: os.unlink(f"/dev/shm/{self.mark}")]

    def _listen_unix(self, name, kind):
        s = socket.socket(socket.AF_UNIX, kind)
        s.bind(name)
        if kind == socket.SOCK_STREAM:
            s.listen(8)
        self.undo.append(s.close)

    def _listen_tcp(self, family, host):
        s = socket.socket(family, socket.SOCK_STREAM)
        s.bind((host, 0))
        s.listen(8)
        self.undo.append(s.close)
        return s.getsockname()[1]

    def _ours(self):
        """The programs of the session that runs: a control that needs them starts one."""
        supervisor = self.session.p.pid
        return {"supervisor": str(supervisor), "shim": str(until(lambda: child(supervisor, "stockade-shim"))), "stockade": STOCKADE}

    def names(self, inside):
        """What stands in braces in the table; {init} is whoever a server's parent is."""
        return {"home": self.home, "proj": f"{self.work}/proj", "data": f"{self.work}/data", "outside": f"{self.work}/outside",
                "bin": self.bin, "base": self.base, "mark": self.mark, "key": str(self.key), "secret": SECRET,
                "neighbour": str(self.sleeper.pid), "init": "1" if inside else str(os.getpid()), "tcp4": str(self.tcp4),
                "tcp6": str(self.tcp6), "abstract": f"@{self.mark}"}

    def fill(self, words, inside):
        names = {**self.names(inside), **(self._ours() if about_us(words) else {})}
        return [w.format(**names) for w in words]

    def control(self, how, words):
        """The attempt outside, by the same user: what it says."""
        if about_us(words):
            self.serve("--ro", "{data}")
        argv = [self.bin, *self.fill(words, False)]
        env = {**self.env, "MOUNT": f"{self.work}/proj", "BASE": self.base}
        if how == "terminal":
            return self._at_terminal(argv)
        if how != "plain":
            env.pop("LD_PRELOAD")  # it would make unshare's loader complain
        extra = os.open("/dev/null", os.O_RDONLY)
        r = subprocess.run([*CONTROLS[how], *argv], env=env, cwd=self.work, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120, check=False, pass_fds=[extra])
        os.close(extra)
        assert r.returncode == 0, f"{how}: {r.returncode} {r.stdout} {r.stderr}"
        return r.stdout.strip()

    def _at_terminal(self, argv):
        pid, fd = pty.fork()
        if pid == 0:
            quiet = termios.tcgetattr(0)
            quiet[3] &= ~termios.ECHO  # what TIOCSTI pushes would be shown
            termios.tcsetattr(0, termios.TCSANOW, quiet)
            os.execve(argv[0], argv, self.env)
        said = b""
        while True:
            try:
                part = os.read(fd, 4096)
            except OSError:
                break
            if not part:
                break
            said += part
        os.waitpid(pid, 0)
        os.close(fd)
        return said.decode().replace("\r", "").strip().splitlines()[-1]

    def serve(self, *grants, **kw):
        """A session with the hostile server, initialised."""
        command = [*self.fill(grants, True), "--", self.bin, "--mark", self.mark]
        self.approve(*command)
        wire = self.start(*command, **kw)
        wire.initialize()
        self.session = wire
        return wire

    def inside(self, wire, words):
        name, *args = self.fill(words, True)
        answer = wire.call(name, {"args": args}, timeout=120)
        return answer["result"]["content"][0]["text"]

    def done(self):
        if self.session:
            self.session.kill()
        self.sleeper.kill()
        self.sleeper.wait()
        for undo in reversed(self.undo):
            undo()
        # Some attempts take away the right to list, which removing needs.
        for d in (f"{self.work}/proj", f"{self.work}/proj/hidden"):
            if os.path.isdir(d) and not os.path.islink(d):
                os.chmod(d, 0o700)
        super().done()
