# SPDX-License-Identifier: Apache-2.0
"""Real clients behind what the owner of a machine provides: an HTTP CONNECT proxy and an authority of the house.

None is told of either: no variable of ours names the proxy, no option the authority. What reaches the site came by the proxy, and the
certificate that it showed was believed because policy's authority is where clients look.
"""
import os
import shutil
import subprocess

import pytest
from integration.harness import NODE22, PYTHON, STAGE
from network.conftest import PACKAGES
from network.test_clients import GO, GO_PATH, NODE_CLIENTS, PYTHON_CLIENTS, URL, reached
from network.world import HERE, OWN4

pytestmark = pytest.mark.needs("root")
JAVA = """
public class Plain {
    public static void main(String[] a) throws Exception {
        var client = java.net.http.HttpClient.newHttpClient();
        var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create(a[0])).build();
        System.out.println(client.send(request, java.net.http.HttpResponse.BodyHandlers.ofString()).body());
    }
}
"""
CLIENTS = {
    "curl": ["curl", "-sS", "--max-time", "60", URL],
    "the system's python": ["/usr/bin/python3", "-c", f"URL={URL!r}\n{PYTHON_CLIENTS['urllib']}"],
    **{f"python {n}": [PYTHON, "-c", f"URL={URL!r}\n{text}"] for n, text in PYTHON_CLIENTS.items()},
    **{f"node {n}": [NODE22, "-e", f"const PAGE={URL!r};\n{text}"] for n, text in NODE_CLIENTS.items()},
}


@pytest.fixture
def employed(corporate, guest):
    """A session of a server that is granted one host."""
    wire = guest.serve(*PACKAGES, "--setenv", f"NODE_PATH={STAGE}/node/node_modules", "--host", "ok.example:443")
    yield wire
    assert wire.end() == 0


def came_by_the_proxy(world):
    seen = world.internet.take()
    tls = [h["peer"] for h in seen["hits"] if h["kind"] == "tls"]
    return set(seen["proxy"]) == {"CONNECT ok.example:443"} and tls and OWN4 not in tls and seen["queries"] == []


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_that_is_told_nothing_goes_by_the_proxy_and_believes_the_authority(corporate, employed, client):
    reached(employed.out(CLIENTS[client]))
    assert came_by_the_proxy(corporate)


def test_git_does_too(corporate, employed):
    employed.out(["git", "clone", "-q", "https://ok.example/repo.git", "/tmp/clone"])
    assert employed.out(["cat", "/tmp/clone/README"]) == "fetched by git\n"
    assert came_by_the_proxy(corporate)


@pytest.mark.needs("go")
def test_go_does_too(corporate, guest):
    source = guest.write("fetch.go", GO)
    subprocess.run([shutil.which("go", path=GO_PATH), "build", "-o", f"{guest.work}/fetch", source], check=True, cwd=guest.work,
                   env={"HOME": guest.work, "PATH": GO_PATH, "CGO_ENABLED": "0", "GOCACHE": f"{STAGE}/gocache", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"})
    wire = guest.serve("--ro", guest.work, "--host", "ok.example:443")
    reached(wire.out([f"{guest.work}/fetch", URL]))
    assert wire.end() == 0
    assert came_by_the_proxy(corporate)


def test_java_does_with_a_store_that_the_profile_names_and_not_without(corporate, guest):
    """Java knows no file of PEM and no variable for one; keytool encrypts what it writes, so the password is needed (stockade-policy(5))."""
    source = guest.write("Plain.java", JAVA)
    subprocess.run(["javac", "-d", guest.work, source], check=True)
    store = f"{guest.work}/store.p12"
    subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "house", "-file", corporate.ca, "-keystore", store, "-storepass", "changeit"],
                   check=True, capture_output=True)
    for name in ("Plain.class", "store.p12"):
        os.chmod(f"{guest.work}/{name}", 0o644)
    wire = guest.serve("--ro", guest.work, "--host", "ok.example:443")
    java = ["java", "-Xmx128m", "-cp", guest.work]
    refused = wire.run([*java, "Plain", URL], timeout=180)
    assert refused["status"] == 1 and "unable to find valid certification path" in refused["err"]
    reached(wire.out([*java, f"-Djavax.net.ssl.trustStore={store}", "-Djavax.net.ssl.trustStorePassword=changeit", "Plain", URL], timeout=180))
    assert wire.end() == 0


def test_without_the_authority_none_of_them_believes_the_certificate(proxied, guest):
    """The control: what they believe above is policy's, and nobody else brought it."""
    wire = guest.serve(*PACKAGES, "--setenv", f"NODE_PATH={STAGE}/node/node_modules", "--host", "ok.example:443")
    for client in ("curl", "the system's python", "python requests", "python httpx", "python aiohttp", "node fetch", "node axios"):
        r = wire.run(CLIENTS[client])
        assert "certificate" in r["err"].lower() and '"role"' not in r["out"], (client, r)
    assert wire.end() == 0


def test_a_real_mcp_server_fetches_by_the_proxy_with_its_own_guard_off(corporate, guest):
    wire = guest.serve_profile({"allow": ["ok.example:443"]}, command=[PYTHON, "-m", "mcp_server_fetch", "--allow-private-ips"],
                               filesystem={"read": [HERE, f"{STAGE}/venv"]}, env={"set": {"PATH": "/var/empty"}})
    answer = wire.call("fetch", {"url": "https://ok.example/page"})
    assert "The page says hello to the reader" in answer["result"]["content"][0]["text"], answer
    answer = wire.call("fetch", {"url": "https://other.example/page"})
    assert answer["result"]["isError"], answer
    assert wire.end() == 0
    assert came_by_the_proxy(corporate)
