"""The examples in deploy/: what their own programs say of them, and nginx in front of a server."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.load.server import project, served

from clustergraph import settings as settings_module

ROOT = Path(__file__).resolve().parents[1]
DEPLOY = ROOT / "deploy"
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"
TURTLE = {"Accept": "text/turtle"}


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """With the program where the units look for it."""
    program = tmp_path / "clustergraph"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = []
    for unit in sorted(DEPLOY.glob("clustergraph*.*")):
        copy = tmp_path / unit.name
        copy.write_text(
            unit.read_text().replace("/opt/clustergraph/bin/clustergraph", str(program))
        )
        units.append(str(copy))
    assert len(units) == 3
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = [line for line in checked.stderr.splitlines() if str(tmp_path) in line]
    assert not told
    assert checked.returncode == 0


def documents(name: str) -> list[dict[str, Any]]:
    """The documents of a YAML file."""
    return [each for each in yaml.safe_load_all((DEPLOY / name).read_text()) if each]


def test_settings_in_the_examples_are_known() -> None:
    """Every CG_... is a setting, or the folder of the project or of releases."""
    known = {
        f"CG_{each.upper()}" for each in settings_module.Settings.__dataclass_fields__
    } | {"CG_PROJECT", "CG_VAR"}  # fmt: skip
    for path in DEPLOY.iterdir():
        named = set(re.findall(r"\bCG_[A-Z_]+\b", path.read_text()))
        assert named <= known, path.name


WORKLOADS = ("StatefulSet", "Deployment")


def test_kubernetes_objects_fit_each_other() -> None:
    """Selectors, ports, volumes and configurations name what is there."""
    found = documents("kubernetes.yaml")
    (made,) = documents("kustomization.yaml")
    pods = [each["spec"]["template"] for each in found if each["kind"] in WORKLOADS]
    assert {each["metadata"].get("namespace", "clustergraph") for each in found} == {"clustergraph"}
    for each in found:
        selector = each.get("spec", {}).get("selector")
        if selector is not None:
            labels = selector.get("matchLabels", selector)
            (pod,) = [pod for pod in pods if labels.items() <= pod["metadata"]["labels"].items()]
            if each["kind"] in WORKLOADS:
                assert pod is each["spec"]["template"]
            if each["kind"] == "Service":
                targets = {port["targetPort"] for port in each["spec"]["ports"]}
                assert targets <= {port["name"] for port in ports(pod)}
    services = {
        each["metadata"]["name"]: {port["name"] for port in each["spec"]["ports"]}
        for each in found
        if each["kind"] == "Service"
    }
    (ingress,) = [each for each in found if each["kind"] == "Ingress"]
    for path in ingress["spec"]["rules"][0]["http"]["paths"]:
        backend = path["backend"]["service"]
        assert backend["port"]["name"] in services[backend["name"]]
    configurations = {each["name"] for each in made["configMapGenerator"]} | names(
        found, "ConfigMap"
    )
    for each in made["configMapGenerator"]:
        assert all((DEPLOY / name).is_file() for name in each["files"])
    assert all((DEPLOY / name).is_file() for name in made["resources"])
    claims = names(found, "PersistentVolumeClaim")
    for each in found:
        if each["kind"] in WORKLOADS:
            check_volumes(each["spec"], configurations, claims)


def check_volumes(workload: dict[str, Any], configurations: set[str], claims: set[str]) -> None:
    """What containers mount and read is there, and nothing is there in vain."""
    pod = workload["template"]["spec"]
    volumes = {each["name"]: each for each in pod["volumes"]}
    templates = {each["metadata"]["name"] for each in workload.get("volumeClaimTemplates", ())}
    mounted = {
        each["name"] for container in pod["containers"] for each in container["volumeMounts"]
    }
    assert mounted == volumes.keys() | templates
    for volume in volumes.values():
        if "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in claims
        if "configMap" in volume:
            assert volume["configMap"]["name"] in configurations
    for container in pod["containers"]:
        for each in container.get("envFrom", ()):
            assert each["configMapRef"]["name"] in configurations


def names(found: list[dict[str, Any]], kind: str) -> set[str]:
    """The names of the objects of a kind."""
    return {each["metadata"]["name"] for each in found if each["kind"] == kind}


def ports(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """The ports of all containers of a pod."""
    return [port for container in pod["spec"]["containers"] for port in container["ports"]]


def test_kubernetes_containers_may_do_little() -> None:
    """No root, no capabilities, nothing to write on but volumes; one writes, the others read."""
    found = documents("kubernetes.yaml")
    for each in found:
        if each["kind"] not in WORKLOADS:
            continue
        pod = each["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]
            known = {port["name"] for port in container["ports"]}
            for probe in ("readinessProbe", "livenessProbe"):
                asked = container[probe].get("httpGet") or container[probe]["tcpSocket"]
                assert asked["port"] in known
                assert asked.get("path", "/health") in {"/health", "/ready"}
    ours = [
        (each["spec"]["replicas"], mount.get("readOnly", False))
        for each in found
        if each["kind"] in WORKLOADS
        for container in each["spec"]["template"]["spec"]["containers"]
        for mount in container["volumeMounts"]
        if mount["name"] == "releases"
    ]
    assert sorted(ours) == [(1, False), (3, True)]


def test_compose_services_fit_each_other() -> None:
    """Volumes and services that are named are there; the program is confined."""
    (found,) = documents("compose.yaml")
    services = found["services"]
    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in found["volumes"] or (DEPLOY / source).exists()
    ours = services["clustergraph"]
    assert (DEPLOY / ours["build"]["context"] / ours["build"]["dockerfile"]).is_file()
    assert ours["read_only"]
    assert ours["init"]  # ended workers are reaped
    assert ours["cap_drop"] == ["ALL"]


def test_the_container_runs_as_nobody_and_copies_what_is_there() -> None:
    """Instruction by instruction, as far as that can be told without building it."""
    text = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line and line[0] != "#"]
    last = {name: rest for name, rest in lines if name != "COPY"}
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", last["USER"])
    assert json.loads(last["ENTRYPOINT"]) == ["clustergraph"]
    assert json.loads(last["CMD"]) == ["serve"]
    health = json.loads(last["HEALTHCHECK"].split("CMD ", 1)[1])
    compile(health[2], "HEALTHCHECK", "exec")
    assert "--require-hashes" in text
    for name, rest in lines:
        if name == "COPY" and not rest.startswith("--from"):
            assert all((ROOT / each).exists() for each in rest.split()[:-1])


@dataclass
class Proxied:
    """nginx, and the server behind it."""

    port: int
    log: Path

    def ask(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """Status, headers (small letters) and body of a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, named, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    """The example, but for its ports and folders, in front of a server."""
    folder = tmp_path_factory.mktemp("deployed")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    things = project(folder / "project", 3000)
    with served(things, trusted_proxies=1, default_graph="merge") as server:
        site = (DEPLOY / "nginx.conf").read_text()
        for before, after in (
            ("listen 80;", f"listen 127.0.0.1:{port};"),
            ("127.0.0.1:8080", f"127.0.0.1:{server.port}"),
            ("/var/cache/nginx/clustergraph", str(folder / "cache")),
        ):
            assert before in site
            site = site.replace(before, after)
        (folder / "site.conf").write_text(site)
        main = folder / "nginx.conf"
        scratch = "".join(
            f"  {each}_temp_path {folder}/{each};\n"
            for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.getuid() == 0 else ""  # else it could not enter the folder
        main.write_text(
            f"{user}daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n"
            f"events {{}}\nhttp {{\n  access_log off;\n{scratch}  include {folder}/site.conf;\n}}\n"
        )
        checked = subprocess.run(
            [NGINX, "-t", "-c", str(main)], capture_output=True, text=True, check=False
        )
        assert checked.returncode == 0, checked.stderr
        assert "[warn]" not in checked.stderr
        process = subprocess.Popen([NGINX, "-c", str(main)])
        try:
            for _ in range(200):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield Proxied(port, server.log)
        finally:
            process.terminate()
            process.wait()


def test_nginx_keeps_what_has_an_etag(proxied: Proxied) -> None:
    """And asks again whether it still holds; formats are kept apart."""
    path = "/doc/organisation/7"
    first = proxied.ask(path, TURTLE)
    assert first[:1] == (200,)
    kept = []
    for _ in range(6):
        time.sleep(0.6)
        answer = proxied.ask(path, TURTLE)
        assert answer[2] == first[2]
        kept.append(answer[1]["x-cache-status"])
    assert set(kept) <= {"HIT", "REVALIDATED", "STALE", "UPDATING"}
    assert "REVALIDATED" in kept
    assert proxied.ask(path, {"Accept": "text/html"})[1]["content-type"].startswith("text/html")
    tagged = proxied.ask(path, TURTLE | {"If-None-Match": first[1]["etag"]})
    assert tagged[0] == 304


def test_nginx_passes_long_answers_on_as_they_come(proxied: Proxied) -> None:
    """The first bytes are there long before the last; a slow reader fills no disk."""
    query = "/sparql?query=SELECT%20*%20%7B%20?s%20?p%20?o%20%7D"
    connection = http.client.HTTPConnection("127.0.0.1", proxied.port, timeout=30)
    connection.request("GET", query, headers={"Accept": "text/csv"})
    answer = connection.getresponse()
    assert answer.getheader("x-cache-status") is None
    assert answer.read(1)
    assert len(answer.read().splitlines()) > 20_000
    connection.close()


def test_the_server_knows_whom_nginx_speaks_for(proxied: Proxied) -> None:
    """The address that the last proxy saw, not what a client made up."""
    proxied.ask("/doc/organisation/8", TURTLE | {"X-Forwarded-For": "203.0.113.77"})
    time.sleep(0.2)
    lines = [
        line for line in proxied.log.read_text().splitlines() if '"/doc/organisation/8"' in line
    ]
    assert json.loads(lines[-1])["client"] == "127.0.0.0"


def test_metrics_are_for_this_machine(proxied: Proxied) -> None:
    """nginx lets nobody else ask; behind it, only a token may."""
    assert proxied.ask("/metrics", {})[0] in {401, 403, 404}
