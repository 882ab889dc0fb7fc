# SPDX-License-Identifier: Apache-2.0
"""Two network namespaces with a cable between them: "host", where a person runs stockade, and "internet", where all else is.

    host      198.51.100.2, 2001:db8:1::2, 10.9.0.2; resolv.conf says 198.51.100.53; what it does not own goes to the internet
    internet  198.51.100.1, 2001:db8:1::1; every other address of IPv4 and IPv6 is its own as well, so that an attempt which is
              not stopped by stockade reaches something that answers and logs it

No packet can leave either: they have no other interface. The names are example ones (RFC 2606), the public addresses those for
documentation (RFC 5737, RFC 3849). Nothing here knows how stockade works inside.
"""
import ctypes
import json
import os
import pwd
import shutil
import socket
import struct
import subprocess
import threading

from integration.harness import STAGE, STOCKADE, Person, Wire, until
from network.certificates import make_certificates

HERE = os.path.dirname(os.path.abspath(__file__))
USER = pwd.getpwnam("stockade-test")
PROBE = ["/usr/bin/python3", f"{HERE}/probe.py"]
OWN4, OWN6, OWN_PRIVATE, DNS = "198.51.100.2", "2001:db8:1::2", "10.9.0.2", "198.51.100.53"
SITE, SITE6, OTHER = "203.0.113.10", "2001:db8:2::10", "203.0.113.20"
LIBC = ctypes.CDLL(None, use_errno=True)
ETH_P_ALL = 3

SETUP = {
    "internet": ("ip link set lo up", "ip link set wire up", "ip addr add 198.51.100.1/24 dev wire", "ip addr add 2001:db8:1::1/64 dev wire nodad",
                 "ip addr add 198.51.100.53/32 dev lo", "ip route add local 0.0.0.0/0 dev lo table main",
                 "ip -6 route add local ::/0 dev lo table main"),  # not the local table: the cable's own network comes first
    "host": ("ip link set lo up", "ip link set wire up", f"ip addr add {OWN4}/24 dev wire", f"ip addr add {OWN6}/64 dev wire nodad",
             f"ip addr add {OWN_PRIVATE}/32 dev lo", "ip route add default via 198.51.100.1", "ip -6 route add default via 2001:db8:1::1"),
}
# The kernel refuses to route some of what an attempt names unless it is told otherwise; the control needs it routed.
SYSCTLS = {"net/ipv4/conf/all/rp_filter": "0", "net/ipv4/conf/wire/rp_filter": "0", "net/ipv4/conf/all/accept_local": "1", "net/ipv4/ping_group_range": "0 65535"}
# After ten thousand connections to one port, nearly all local ports wait a minute for stragglers, and each connect(2) looks through them.
SYSCTLS["net/ipv4/tcp_max_tw_buckets"] = "1000"


def in_namespaces(pid, argv, user=False, cwd="/"):
    enter = ["nsenter", "-t", str(pid), "-n", "-m"]
    who = ["setpriv", f"--reuid={USER.pw_uid}", f"--regid={USER.pw_gid}", "--init-groups"] if user else []
    return [*enter, *who, "env", "-C", cwd, *argv]


class Namespace:
    """Network and mounts of their own, held by a process that dies with us."""

    def __init__(self, files):
        binds = "".join(f"mount --bind {theirs} {path} && " for path, theirs in files.items())
        # pylint: disable=consider-using-with
        self.holder = subprocess.Popen(["unshare", "--net", "--mount", "--fork", "--kill-child", "sh", "-c", f"{binds} echo up && exec sleep infinity"],
                                       stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"up\n"
        with open(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children", encoding="ascii") as f:
            self.pid = int(f.read().split()[0])

    def run(self, argv, **kw):
        return subprocess.run(in_namespaces(self.pid, argv), check=True, **kw)

    def set_up(self, name):
        for line in SETUP[name]:
            self.run(line.split())
        for path, value in SYSCTLS.items():
            self.run(["sh", "-c", f"echo {value} > /proc/sys/{path}"])

    def socket(self, *how):
        """A socket of this namespace for a process that stays outside: a socket belongs to where it was made (setns(2))."""
        made = []

        def make():
            fd = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
            assert LIBC.setns(fd, 0) == 0, os.strerror(ctypes.get_errno())
            os.close(fd)
            made.append(socket.socket(*how))
        t = threading.Thread(target=make)  # the thread ends, and its namespace with it
        t.start()
        t.join()
        return made[0]

    def done(self):
        self.holder.kill()
        self.holder.wait()


class Service:
    """internet.py in one of the namespaces, told what to do by JSON lines."""

    def __init__(self, ns, role, certificates, env, *more):
        argv = ["/usr/bin/env", *(f"{k}={v}" for k, v in env.items()), "/usr/bin/python3", f"{HERE}/internet.py", role,
                f"{certificates}/site.pem", f"{certificates}/site.key", *more]
        # pylint: disable=consider-using-with
        self.p = subprocess.Popen(in_namespaces(ns.pid, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                  preexec_fn=lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_NOFILE, (16384, 16384)))
        assert self.p.stdout.readline() == "{}\n"

    def do(self, what, **more):
        self.p.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.p.stdin.flush()
        return json.loads(self.p.stdout.readline())

    def zone(self, names):
        self.do("zone", zone=names)

    def take(self):
        return self.do("take")

    def done(self):
        self.p.kill()
        self.p.wait()


class Watcher:
    """Every packet that the host puts on the cable, as a packet socket there sees it (packet(7)).

    What keeps the cable itself going (ARP, neighbour discovery, multicast listening) is left out.
    """

    def __init__(self, ns):
        self.socket = ns.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind(("wire", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.settimeout(0.3)

    def take(self):
        """What left until it has been silent for a while: {protocol, to, port, source (its own port), flags, payload}."""
        seen = []
        while True:
            try:
                frame, where = self.socket.recvfrom(65536)
            except TimeoutError:
                return seen
            if where[2] == socket.PACKET_OUTGOING:
                seen += parse_frame(frame)

    def done(self):
        self.socket.close()


def parse_frame(frame):
    kind, p = struct.unpack("!H", frame[12:14])[0], frame[14:]
    if kind == 0x0800:
        header, protocol, to = (p[0] & 15) * 4, p[9], socket.inet_ntop(socket.AF_INET, p[16:20])
    elif kind == 0x86dd:
        header, protocol, to = 40, p[6], socket.inet_ntop(socket.AF_INET6, p[24:40])
        if protocol == 0 or (protocol == 58 and p[40] in (133, 134, 135, 136, 143)):
            return []
    else:
        return [] if kind == 0x0806 else [{"protocol": kind, "to": "", "port": 0, "source": 0, "flags": 0, "payload": p}]
    t = p[header:]
    source, port = struct.unpack("!HH", t[:4]) if protocol in (6, 17) else (0, 0)
    payload = t[(t[12] >> 4) * 4:] if protocol == 6 else t[8:]
    return [{"protocol": protocol, "to": to, "port": port, "source": source, "flags": t[13] if protocol == 6 else 0, "payload": payload}]


class Guest(Person):
    """An unprivileged person who works in the "host" namespace."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        for d in (self.base, self.home, self.work):
            os.chown(d, USER.pw_uid, USER.pw_gid)
            os.chmod(d, 0o755)
        self.env.update(USER=USER.pw_name, LOGNAME=USER.pw_name, PATH="/usr/local/bin:/usr/bin:/bin")

    def argv(self, *words):
        env = [f"{k}={v}" for k, v in self.env.items()]
        return in_namespaces(self.world.host.pid, ["-i", *env, *words], user=True, cwd=self.work)

    def stockade(self, *words, check=None, timeout=120, **kw):
        r = subprocess.run(self.argv(STOCKADE, *words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=timeout, check=False, **kw)
        if check is not None:
            assert r.returncode == check, f"{words}: {r.returncode}\n{r.stdout}\n{r.stderr}"
        return r

    def profile(self, name, text):
        path = super().profile(name, text)
        for d in (".config", ".config/stockade", ".config/stockade/profiles", f".config/stockade/profiles/{name}.json"):
            os.chown(f"{self.home}/{d}", USER.pw_uid, USER.pw_gid)
        return path

    def start(self, *words, **kw):
        return Session(self.argv(STOCKADE, "run", *words), **kw)

    def serve(self, *grants, command=None):
        """A session with the probe (or another server) inside, initialised."""
        argv = [*grants, "--ro", HERE, "--", *(command or PROBE)]
        self.approve(*argv)
        wire = self.start(*argv)
        wire.initialize()
        return wire

    def serve_profile(self, network, **more):
        """The same, by a profile of its own with this section on the network."""
        name = f"probe{len(os.listdir(self.home))}"
        self.profile(name, {"stockade": 1, "name": name, "version": 1, "command": PROBE, "filesystem": {"read": [HERE]}, "network": network,
                            "limits": {"processes": 4096, "files": 65536}, **more})
        self.approve(name)
        wire = self.start(name)
        wire.initialize()
        return wire

    def outside(self, argv, timeout=120):
        """The same words without a sandbox: the control."""
        return subprocess.run(self.argv(*argv), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False)

    def net_records(self, *events):
        return [r for r in self.records() if r["event"].startswith("net.") and (not events or r["event"] in events)]


class Session(Wire):
    def run(self, argv, timeout=120):
        """Runs a program inside and waits for it."""
        answer = self.call("run", {"argv": argv, "timeout": timeout}, timeout=timeout + 10)
        return json.loads(answer["result"]["content"][0]["text"])

    def out(self, argv, timeout=120):
        r = self.run(argv, timeout)
        assert r["status"] == 0, f"{argv}: {r}"
        return r["out"]


class World:
    def __init__(self, base):
        self.base = base
        os.chmod(base, 0o755)
        for name, text in (("resolv.conf", f"nameserver {DNS}\nsearch corp.example\n"), ("hosts", "127.0.0.1 localhost\n203.0.113.30 inhosts.example\n")):
            with open(f"{base}/{name}", "w", encoding="ascii") as f:
                f.write(text)
        make_certificates(base)
        self.ca = f"{base}/ca.pem"
        self.repo(f"{base}/git")
        files = {"/etc/resolv.conf": f"{base}/resolv.conf", "/etc/hosts": f"{base}/hosts"}
        self.net, self.host = Namespace({}), Namespace(files)
        self.net.run(["ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", str(self.host.pid)])
        for name, ns in (("internet", self.net), ("host", self.host)):
            ns.set_up(name)
        env = {"GIT_PROJECT_ROOT": f"{base}/git", "PYTHONPATH": HERE, "PATH": "/usr/bin:/bin"}
        self.internet = Service(self.net, "internet", base, env, DNS)
        self.local = Service(self.host, "host", base, env)

    @staticmethod
    def repo(path):
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C"]
        os.makedirs(f"{path}/work")
        with open(f"{path}/work/README", "w", encoding="ascii") as f:
            f.write("fetched by git\n")
        for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "first"]):
            subprocess.run([*git, f"{path}/work", *words], check=True)
        subprocess.run(["git", "clone", "-q", "--bare", f"{path}/work", f"{path}/repo.git"], check=True)

    def guest(self):
        return Guest(self)

    def wait_connected(self):
        """The first packet may wait for the neighbour's address."""
        ask = in_namespaces(self.host.pid, ["curl", "-s", "-m", "2", f"http://{SITE}/"])
        until(lambda: b"internet" in subprocess.run(ask, capture_output=True, check=False).stdout)

    def done(self):
        for part in (self.internet, self.local, self.host, self.net):
            part.done()
        shutil.rmtree(self.base, ignore_errors=True)


assert STAGE
