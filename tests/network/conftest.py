# SPDX-License-Identifier: Apache-2.0
"""One world for all tests of the suite; a person, a clean log and a zone for each."""
import os
import tempfile

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


assert os.geteuid() == 0 or not os.environ.get("STOCKADE_SUITE") == "network", "this suite makes namespaces: it takes root"
