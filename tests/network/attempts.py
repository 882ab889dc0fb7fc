# SPDX-License-Identifier: Apache-2.0
"""Small hostile programs, run inside a sandbox and, as the control, outside. Usage: attempts.py NAME WORD...; prints one line.

REACHED WHO by what answered; NONAME, REFUSED, UNREACHABLE, RESET, EOF, ALERT, TIMEOUT, EPERM, EADDRINUSE otherwise.
"""
import errno
import random
import socket
import ssl
import struct
import sys
import time

ERRNO = {errno.ECONNREFUSED: "REFUSED", errno.ENETUNREACH: "UNREACHABLE", errno.EHOSTUNREACH: "UNREACHABLE", errno.ECONNRESET: "RESET",
         errno.EPIPE: "RESET", errno.EPERM: "EPERM", errno.EACCES: "EPERM", errno.EADDRINUSE: "EADDRINUSE", errno.EADDRNOTAVAIL: "UNREACHABLE"}
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def who(answer):
    """Of whom an answer is, as internet.py says it."""
    text = answer.decode("latin1")
    for role in ("internet", "host", "inside"):
        if f'"role": "{role}"' in text:
            return "REACHED " + role
    return "REACHED" if answer else "EOF"


def connected(host, port, family=socket.AF_UNSPEC):
    last = OSError(errno.ENETUNREACH, "nothing to try")
    for kind, _, _, _, at in socket.getaddrinfo(host, int(port), family, socket.SOCK_STREAM):
        s = socket.socket(kind, socket.SOCK_STREAM)
        s.settimeout(10)
        try:
            s.connect(at)
            return s
        except OSError as e:
            last = e
            s.close()
    raise last


def read_all(s):
    got = b""
    while len(got) < 65536 and (part := s.recv(65536)):
        got += part
    return got


def tcp(host, port):
    s = connected(host, port)
    s.sendall(REQUEST)
    return who(read_all(s))


def hello(name):
    """A real ClientHello, with this name in it or none."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    tls_in, tls_out = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(tls_in, tls_out, server_hostname=None if name == "-" else name)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return tls_out.read()


def records(data, size):
    """The same handshake message in TLS records of this many bytes (RFC 8446, 5.1)."""
    message = data[5:]
    return b"".join(b"\x16\x03\x01" + struct.pack("!H", len(message[i:i + size])) + message[i:i + size] for i in range(0, len(message), size))


def tls(host, port, name, piece="0", record="0"):
    """Sends a ClientHello (in pieces, in small records) and looks at what answers: a ServerHello is a server's."""
    data = hello(name)
    if int(record):
        data = records(data, int(record))
    s = connected(host, port)
    step = int(piece) or len(data)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for i in range(0, len(data), step):
        s.sendall(data[i:i + step])
        if step < len(data):
            time.sleep(0.002)
    kind = s.recv(1)
    return {b"\x16": "REACHED", b"\x15": "ALERT", b"": "EOF"}.get(kind, repr(kind))


def plain_on_tls(host, port):
    """Speaks HTTP where TLS is expected: a server of TLS answers with an alert of its own, or 400."""
    s = connected(host, port)
    s.sendall(REQUEST)
    return "REACHED" if s.recv(1) else "EOF"


def nameserver():
    with open("/etc/resolv.conf", encoding="ascii") as f:
        return next(line.split()[1] for line in f if line.startswith("nameserver"))


def question(name, kind, raw=False):
    packed = name.encode("latin1").decode("unicode_escape").encode("latin1") if raw else \
        b"".join(bytes([len(p)]) + p.encode("latin1") for p in name.rstrip(".").split(".")) + b"\0"
    return struct.pack("!HHHHHH", random.getrandbits(16), 0x100, 1, 0, 0, 0) + packed + struct.pack("!HH", int(kind), 1)


def dns(name, kind, transport="udp", raw=""):
    """Asks the name server of resolv.conf: the answer's code, how many records, and the first address."""
    q = question(name, kind, bool(raw))
    if transport == "udp":
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.settimeout(30)
        s.connect((nameserver(), 53))
        s.send(q)
        a = s.recv(4096)
    else:
        s = connected(nameserver(), 53)
        s.sendall(struct.pack("!H", len(q)) + q)
        a = read_exactly(s, struct.unpack("!H", read_exactly(s, 2))[0])
    assert a[:2] == q[:2], "another id"
    code = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED"}[a[3] & 15]
    return f"{code} {struct.unpack('!H', a[6:8])[0]}"


def read_exactly(s, n):
    got = b""
    while len(got) < n:
        part = s.recv(n - len(got))
        if not part:
            raise ConnectionResetError(errno.ECONNRESET, "ended")
        got += part
    return got


def udp(host, port):
    s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(30)
    s.connect((host, int(port)))
    s.send(b"hello")
    return "REACHED" if s.recv(100) else "EOF"


def icmp(host):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
    s.settimeout(30)
    s.sendto(b"\x08\0\0\0\0\0\0\0", (host, 0))
    return "REACHED" if s.recv(100) else "EOF"


def resolve(name):
    """What getaddrinfo finds, and that a refusal comes at once: SLOWLY, if it never did in some tries."""
    for _ in range(3):
        began = time.monotonic()
        try:
            found = sorted({a[4][0] for a in socket.getaddrinfo(name, None)})
            said = "FOUND " + ",".join(found)
        except socket.gaierror:
            said = "NONAME"
        if time.monotonic() - began < 4:
            return said
    return said + " SLOWLY"


def hijack(host, port, reuse="none"):
    """Takes the address and port that a granted name stands for, to sit between it and others of the sandbox."""
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if reuse != "none":
        s.setsockopt(socket.SOL_SOCKET, getattr(socket, reuse), 1)
    at = socket.gethostbyname(host) if host != "any" else "0.0.0.0"
    s.bind((at, int(port)))
    s.listen(8)
    return "BOUND"


def exhaust(pattern, n):
    """Asks for n names below a wildcard: how many got an address, and whether the first still has its own."""
    first = socket.gethostbyname(pattern.replace("*", "n0"))
    found = set()
    for i in range(int(n)):
        try:
            found.add(socket.gethostbyname(pattern.replace("*", f"n{i}")))
        except socket.gaierror:
            pass
    return f"{len(found)} {'KEPT' if socket.gethostbyname(pattern.replace('*', 'n0')) == first else 'CHANGED'}"


def main():
    attempt = {f.__name__: f for f in (tcp, tls, plain_on_tls, dns, udp, icmp, resolve, hijack, exhaust)}[sys.argv[1]]
    try:
        print(attempt(*sys.argv[2:]))
    except socket.gaierror:
        print("NONAME")
    except TimeoutError:
        print("TIMEOUT")
    except OSError as e:
        print(ERRNO.get(e.errno, str(e)))


if __name__ == "__main__":
    main()
