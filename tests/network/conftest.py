# SPDX-License-Identifier: Apache-2.0
"""One world for all tests of the suite; a person, a clean log and a zone for each."""
import json
import os
import shutil
import tempfile
from contextlib import contextmanager

import pytest
from integration.harness import STAGE
from network.world import OTHER, SITE, SITE6, Watcher, World

VENV, NODE = f"{STAGE}/venv", f"{STAGE}/node"
# What the real clients are made of, and what tells them of the tests' authority.
PACKAGES = ["--ro", VENV, "--ro", NODE]
ZONE = {"ok.example": {"A": [SITE]}, "api.wild.example": {"A": [SITE]}, "deep.er.wild.example": {"A": [SITE]}, "other.example": {"A": [OTHER]},
        "six.example": {"AAAA": [SITE6]}, "both.example": {"A": [SITE], "AAAA": [SITE6]}, "wild.example": {"A": [SITE]}}


@pytest.fixture(scope="session")
def earth():
    w = World(tempfile.mkdtemp(prefix="stockade-net-", dir="/tmp"))
    try:
        w.wait_connected()
        yield w
    finally:
        w.done()


@pytest.fixture
def world(earth):
    earth.internet.zone(ZONE)
    earth.internet.do("proxy", status=200)
    earth.internet.take()
    earth.local.take()
    return earth


@pytest.fixture
def guest(world):
    g = world.guest()
    yield g
    g.done()


@pytest.fixture
def watcher(world):
    w = Watcher(world.host)
    w.take()
    yield w
    w.done()


@pytest.fixture
def trust(world):
    """Options that bring the authority into the sandbox and name it to every client."""
    names = ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
    return ["--ro", world.ca, *(w for n in names for w in ("--setenv", f"{n}={world.ca}"))]


PROXY = "http://198.51.100.1:3128"


@contextmanager
def policy(world, provide, **more):
    """What the owner of the machine lays down, in the mounts of the "host" alone."""
    with open(f"{world.base}/policy.json", "w", encoding="ascii") as f:
        json.dump({"stockade": 1, "provide": provide, **more}, f)
    world.host.run(["sh", "-c", f"mkdir {world.base}/up {world.base}/wk && mount -t overlay o -o lowerdir=/etc,upperdir={world.base}/up,"
                    f"workdir={world.base}/wk /etc && mkdir -p /etc/stockade && cp {world.base}/policy.json /etc/stockade/ && cp {world.ca} /etc/stockade/ && "
                    # what lies over single files of it is not in it
                    f"cp {world.base}/resolv.conf {world.base}/hosts /etc/"])
    try:
        yield world
    finally:
        world.host.run(["umount", "/etc"])
        shutil.rmtree(f"{world.base}/up")
        shutil.rmtree(f"{world.base}/wk")


@pytest.fixture
def proxied(world):
    with policy(world, {"proxy": PROXY}):
        yield world


@pytest.fixture
def corporate(world):
    """A proxy that alone leads out, and an authority that no client knows by itself."""
    with policy(world, {"proxy": PROXY, "ca": "/etc/stockade/ca.pem"}):
        yield world


assert os.geteuid() == 0 or not os.environ.get("STOCKADE_SUITE") == "network", "this suite makes namespaces: it takes root"
