# SPDX-License-Identifier: Apache-2.0
"""Runs a command in a network namespace where every address is this machine's own, and something answers.

Usage: unshare -Urn python3 own_network.py COMMAND [ARG ...]

The routes of type local make loopback answer for all of IPv4 and IPv6, so that the control of a network attempt
connects to the very address it names, and no packet leaves the namespace.
"""
import socket
import subprocess
import sys
import threading

PORTS = (53, 80, 443)
SETUP = (
    "ip link set lo up multicast on",
    "ip route add local 0.0.0.0/0 dev lo",
    "ip -6 route add local ::/0 dev lo",
    "ip route add multicast 224.0.0.0/4 dev lo",
)


def answer(sock):
    while True:
        _, peer = sock.recvfrom(64)
        sock.sendto(b"answer", peer)


def listen(port, family, host):
    tcp = socket.socket(family, socket.SOCK_STREAM)
    udp = socket.socket(family, socket.SOCK_DGRAM)
    for sock in (tcp, udp):
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
    tcp.listen(8)
    threading.Thread(target=answer, args=(udp,), daemon=True).start()
    return tcp


def main():
    for command in SETUP:
        subprocess.run(command.split(), check=True)
    with open("/proc/sys/net/ipv4/tcp_fastopen", "w", encoding="ascii") as f:
        f.write("3")
    kept = [listen(port, family, host) for port in PORTS
            for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::"))]
    status = subprocess.run(sys.argv[1:], check=False).returncode
    del kept
    sys.exit(status)


main()
