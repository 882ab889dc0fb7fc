# SPDX-License-Identifier: Apache-2.0
"""Names without a network; and what the end of a session does to the connections of its server, on the host's loopback."""
import socket

import pytest

# Connects, says so, and waits for the end of its input.
HOLDS = """
import socket, sys
s = socket.create_connection(("localhost", int(sys.argv[1])))
s.sendall(b"hello")
s.recv(1)
print("connected", file=sys.stderr, flush=True)
sys.stdin.read()
"""


def listener():
    s = socket.socket()
    s.bind(("127.0.0.1", 0))
    s.listen()
    return s


@pytest.mark.root
def test_a_connection_that_outlives_the_server_is_closed_and_recorded_before_the_session_is(person):
    with listener() as host:
        port = host.getsockname()[1]
        words = ["--host", f"localhost:{port}", "--", "/usr/bin/python3", "-c", HOLDS, str(port)]
        person.approve(*words)
        wire = person.start(*words)
        peer, _ = host.accept()
        with peer:
            peer.settimeout(60)
            assert peer.recv(5) == b"hello"
            peer.sendall(b"!")
            wire.end()
            # The server's side has ended; this one never does, so only the session's end can close it.
            records = person.records()
    names = [r["event"] for r in records]
    closed = next((r for r in records if r["event"] == "net.close"), None)
    assert closed, names
    assert (closed["status"], closed["port"], closed["bytes_in"], closed["bytes_out"]) == ("session over", port, 1, 5)
    assert names.index("net.close") < names.index("session.close")
    person.verified()


def test_without_a_network_names_are_refused_and_no_resolver_is_told_to_wait(person):
    """glibc hears the refusal of 127.0.0.1; musl does not, and waits for as long as resolv.conf says."""
    code = ("import socket, sys\n"
            "try: print(socket.getaddrinfo('api.example.com', 443), file=sys.stderr)\n"
            "except socket.gaierror as e: print('gaierror', e.errno, file=sys.stderr)\n"
            "print(open('/etc/resolv.conf').read().split(), file=sys.stderr)\n")
    words = ["--", "/usr/bin/python3", "-c", code]
    person.approve(*words)
    said = person.stockade("run", *words, check=0).stderr
    assert "gaierror -3" in said, said
    assert str(["nameserver", "127.0.0.1", "options", "timeout:0", "attempts:1"]) in said, said
