# SPDX-License-Identifier: Apache-2.0
"""Real clients, unchanged, through a real sandbox: name by name server, TLS, and whatever their runtime does or ignores."""
import json
import os
import shutil
import subprocess
import time

import pytest
from integration.harness import NODE22, PYTHON, STAGE, soon
from network.conftest import PACKAGES, ZONE
from network.world import HERE, SITE, in_namespaces

pytestmark = pytest.mark.needs("root")
URL = "https://ok.example/hello?x=1"
GO_PATH = "/usr/local/go/bin:/usr/lib/go/bin:/usr/local/bin:/usr/bin:/bin"
PYTHON_CLIENTS = {
    "urllib": "import urllib.request as r; print(r.urlopen(URL).read().decode())",
    "http.client": "import http.client as h; c=h.HTTPSConnection('ok.example'); c.request('GET','/hello?x=1'); print(c.getresponse().read().decode())",
    "requests": "import requests; print(requests.get(URL).text)",
    "httpx": "import httpx; print(httpx.get(URL).text)",
    "aiohttp": "import aiohttp,asyncio\n"
               "async def f():\n"
               " async with aiohttp.ClientSession() as s:\n"
               "  async with s.get(URL) as r: print(await r.text())\n"
               "asyncio.run(f())",
}

NODE_CLIENTS = {
    "fetch": "fetch(PAGE).then(r => r.text()).then(console.log)",
    "undici": "require('undici').request(PAGE).then(r => r.body.text()).then(console.log)",
    "axios": "require('axios').get(PAGE, {transformResponse: t => t}).then(r => console.log(r.data))",
    "https": "require('https').get(PAGE, r => { let t = ''; r.on('data', d => t += d); r.on('end', () => console.log(t)) })",
}
JAVA = """
public class Fetch {
    public static void main(String[] a) throws Exception {
        var factory = java.security.cert.CertificateFactory.getInstance("X.509");
        var store = java.security.KeyStore.getInstance(java.security.KeyStore.getDefaultType());
        store.load(null, null);
        store.setCertificateEntry("ca", factory.generateCertificate(new java.io.FileInputStream(System.getenv("SSL_CERT_FILE"))));
        var trust = javax.net.ssl.TrustManagerFactory.getInstance("PKIX");
        trust.init(store);
        var context = javax.net.ssl.SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        var client = java.net.http.HttpClient.newBuilder().sslContext(context).build();
        var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create(a[0])).build();
        System.out.println(client.send(request, java.net.http.HttpResponse.BodyHandlers.ofString()).body());
    }
}
"""
GO = """
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	r, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	b, _ := io.ReadAll(r.Body)
	fmt.Println(string(b))
}
"""
MUSL = """
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG }, *at;
	char text[4096];
	int r = getaddrinfo(argv[1], argv[2], &hints, &at), s, n;
	if (r) { puts(gai_strerror(r)); return 0; }
	s = socket(at->ai_family, SOCK_STREAM, 0);
	if (connect(s, at->ai_addr, at->ai_addrlen) < 0) { perror("connect"); return 1; }
	dprintf(s, "GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n", argv[1]);
	while ((n = read(s, text, sizeof(text))) > 0) write(1, text, n);
	return 0;
}
"""


def reached(text):
    """What the server at the other end says of this request."""
    said = json.loads(text)
    assert (said["role"], said["address"], said["port"], said["host"]) == ("internet", SITE, 443, "ok.example"), said
    return said


def test_curl_fetches_a_page_by_name_over_tls(guest, trust):
    wire = guest.serve(*trust, "--host", "ok.example:443")
    assert reached(wire.out(["curl", "-sS", "--max-time", "60", URL]))["path"] == "/hello?x=1"
    assert wire.end() == 0


@pytest.mark.parametrize("client", PYTHON_CLIENTS)
def test_python_fetches_a_page_by_name_over_tls(guest, trust, client):
    wire = guest.serve(*trust, *PACKAGES, "--host", "ok.example:443")
    reached(wire.out([PYTHON, "-c", f"URL={URL!r}\n{PYTHON_CLIENTS[client]}"]))
    assert wire.end() == 0


@pytest.mark.parametrize("client", NODE_CLIENTS)
def test_node_fetches_a_page_by_name_over_tls(guest, trust, client):
    wire = guest.serve(*trust, *PACKAGES, "--setenv", f"NODE_PATH={STAGE}/node/node_modules", "--host", "ok.example:443")
    reached(wire.out([NODE22, "-e", f"const PAGE={URL!r};\n{NODE_CLIENTS[client]}"]))
    assert wire.end() == 0


def test_node_fetches_a_page_by_name_without_tls(guest):
    wire = guest.serve(*PACKAGES, "--host", "ok.example:80")
    said = json.loads(wire.out([NODE22, "-e", f"const PAGE='http://ok.example/hello';\n{NODE_CLIENTS['https'].replace('https', 'http')}"]))
    assert (said["role"], said["address"], said["port"], said["host"]) == ("internet", SITE, 80, "ok.example"), said
    assert wire.end() == 0


def test_java_fetches_a_page_by_name_over_tls(guest, trust):
    source = guest.write("Fetch.java", JAVA)
    subprocess.run(["javac", "-d", guest.work, source], check=True)
    os.chmod(f"{guest.work}/Fetch.class", 0o644)
    wire = guest.serve(*trust, "--ro", guest.work, "--host", "ok.example:443")
    reached(wire.out(["java", "-Xmx128m", "-cp", guest.work, "Fetch", URL], timeout=180))
    assert wire.end() == 0


@pytest.mark.needs("go")
def test_go_fetches_a_page_by_name_over_tls(guest, trust):
    source = guest.write("fetch.go", GO)
    go = shutil.which("go", path=GO_PATH)
    subprocess.run([go, "build", "-o", f"{guest.work}/fetch", source], check=True, cwd=guest.work,
                   env={"HOME": guest.work, "PATH": GO_PATH, "CGO_ENABLED": "0", "GOCACHE": f"{STAGE}/gocache", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"})
    wire = guest.serve(*trust, "--ro", guest.work, "--host", "ok.example:443")
    reached(wire.out([f"{guest.work}/fetch", URL]))
    assert wire.end() == 0


@pytest.mark.needs("musl")
@pytest.mark.parametrize("why", ["what it leads to is forbidden", "there are too many names"])
def test_the_resolver_of_musl_does_not_wait_for_a_granted_name_that_may_not_be_reached(world, guest, why):
    """Any answer but of the name or that there is none is none to it, and it waits five seconds for another."""
    world.internet.zone({**ZONE, "ok.example": {"A": ["127.0.0.1"]}})
    network = {"allow": ["ok.example:80"], "addresses": "real"} if "forbidden" in why else {"allow": ["*.wild.example:80"], "limits": {"names": 1}}
    name = "ok.example" if "forbidden" in why else "second.wild.example"
    source = guest.write("fetch.c", MUSL)
    subprocess.run(["musl-gcc", "-static", "-O1", "-w", "-o", f"{guest.work}/fetch", source], check=True)
    wire = guest.serve_profile(network, filesystem={"read": [HERE, guest.work]})
    wire.run([f"{guest.work}/fetch", "first.wild.example", "80"])

    def refusal():
        began = time.monotonic()
        assert "REACHED" not in wire.run([f"{guest.work}/fetch", name, "80"])["out"]
        return time.monotonic() - began
    assert soon(refusal, 4)
    assert wire.end() == 0


@pytest.mark.needs("musl")
def test_the_resolver_of_musl_finds_granted_names_and_no_others_at_once(guest):
    source = guest.write("fetch.c", MUSL)
    subprocess.run(["musl-gcc", "-static", "-O1", "-w", "-o", f"{guest.work}/fetch", source], check=True)
    wire = guest.serve("--ro", guest.work, "--host", "ok.example:80")
    assert '"role": "internet"' in wire.out([f"{guest.work}/fetch", "ok.example", "80"])

    def refusal():
        began = time.monotonic()
        assert wire.out([f"{guest.work}/fetch", "evil.example", "80"]) == "Name does not resolve\n"
        return time.monotonic() - began
    assert soon(refusal, 4), "musl waits five seconds for a server that refuses"
    assert wire.end() == 0


def test_git_clones_a_repository_over_https(guest, trust):
    wire = guest.serve(*trust, "--host", "ok.example:443")
    wire.out(["git", "clone", "-q", "https://ok.example/repo.git", "/tmp/clone"])
    assert wire.out(["cat", "/tmp/clone/README"]) == "fetched by git\n"
    refused = wire.run(["git", "clone", "-q", "https://other.example/repo.git", "/tmp/other"])
    assert refused["status"] == 128 and "Could not resolve host: other.example" in refused["err"]
    assert wire.end() == 0


@pytest.fixture
def database(world, tmp_path):
    """PostgreSQL itself, in the "internet"."""
    bin_dir, data, user = postgres_bin(), str(tmp_path / "data"), "nobody"
    os.makedirs(data)
    for d in (tmp_path, *tmp_path.parents):
        if str(d).startswith("/tmp/"):
            os.chmod(d, 0o755)
    shutil.chown(data, user)
    as_user = ["setpriv", f"--reuid={user}", "--regid=nogroup", "--clear-groups"]
    subprocess.run([*as_user, f"{bin_dir}/initdb", "-D", data, "-A", "trust", "-U", "app", "-N"], check=True, capture_output=True, cwd="/")
    with open(f"{data}/pg_hba.conf", "a", encoding="ascii") as f:
        f.write("host all all 0.0.0.0/0 trust\n")
    command = [*as_user, f"{bin_dir}/postgres", "-D", data, "-h", "0.0.0.0", "-p", "5432", "-k", "", "-c", "fsync=off"]
    with subprocess.Popen(in_namespaces(world.net.pid, command), stderr=subprocess.PIPE, text=True) as p:
        while "ready to accept connections" not in p.stderr.readline():
            assert p.poll() is None
        yield
        p.terminate()


def postgres_bin():
    base = "/usr/lib/postgresql"
    return f"{base}/{sorted(os.listdir(base))[-1]}/bin"


@pytest.mark.needs("postgresql")
def test_psql_asks_a_database(guest, database):
    wire = guest.serve("--host", "ok.example:5432")
    out = wire.out(["psql", "-h", "ok.example", "-U", "app", "-d", "postgres", "-Atc", "select 6*7"])
    assert out == "42\n"
    assert wire.end() == 0
