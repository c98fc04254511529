"""deploy/k8s fits Kubernetes' API, the image and the configuration.

No cluster is needed: the manifests are checked against the schemas of the API, and against the
settings that they mount.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from stream_rec.cli.main import cli
from stream_rec.config import Settings, load_settings

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "deploy" / "k8s"
FOLDERS = (FOLDER, FOLDER / "autoscaling")
VERSIONS = ("1.32.0", kubernetes_validate.latest_version())
OF_OTHERS = ("kustomize.config.k8s.io/v1beta1", "keda.sh/v1alpha1")
"""API groups that Kubernetes' own schemas leave out."""
MIB = {"Mi": 1, "Gi": 1024}

Manifest = dict[str, Any]


def manifests() -> Iterator[Manifest]:
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.yaml")):
            yield from yaml.safe_load_all(path.read_text())


MANIFESTS = list(manifests())


def find(kind: str, name: str) -> Manifest:
    (found,) = (m for m in MANIFESTS if m["kind"] == kind and m["metadata"]["name"] == name)
    return found


WORKLOADS = {
    "worker": find("StatefulSet", "stream-rec-worker"),
    "serve": find("Deployment", "stream-rec-serve"),
}
PODS = {name: workload["spec"]["template"] for name, workload in WORKLOADS.items()}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(FOLDER / "settings.toml")


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod["spec"]["initContainers"], *pod["spec"]["containers"]]


@pytest.mark.parametrize("version", VERSIONS)
def test_manifests_fit_the_api(version: str) -> None:
    for manifest in MANIFESTS:
        if manifest["apiVersion"] not in OF_OTHERS:
            kubernetes_validate.validate(manifest, version, strict=True)


def test_a_misspelt_field_does_not_fit_the_api() -> None:
    worker = WORKLOADS["worker"] | {"spec": WORKLOADS["worker"]["spec"] | {"replica": 3}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(worker, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_file_is_listed(folder: Path) -> None:
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    files = {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) - {".."} == files


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
def test_nothing_runs_as_root_or_writes_to_the_image(pod: Manifest) -> None:
    context = pod["spec"]["securityContext"]
    assert context["runAsNonRoot"]
    assert f"--uid {context['runAsUser']} " in (ROOT / "Dockerfile").read_text()
    for container in containers(pod):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@pytest.mark.parametrize("name", PODS)
def test_what_is_written_is_on_volumes(name: str, settings: Settings) -> None:
    pod = PODS[name]
    (container,) = pod["spec"]["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    environment = {each["name"]: each.get("value") for each in container["env"]}
    claims = WORKLOADS[name]["spec"].get("volumeClaimTemplates", [])
    volumes = [v["name"] for v in pod["spec"]["volumes"]] + [c["metadata"]["name"] for c in claims]
    assert set(mounts.values()) == set(volumes)
    assert str(getattr(settings, name).state_dir) in mounts
    assert {environment["NUMBA_CACHE_DIR"], "/tmp"} <= set(mounts)
    assert str(Path(environment["STREAM_REC_CONFIG"] or "").parent) in mounts


@pytest.mark.parametrize("pod", PODS.values(), ids=PODS)
def test_commands_exist(pod: Manifest) -> None:
    (container,) = pod["spec"]["containers"]
    assert container["args"][0] in cli.commands


def test_probes_ask_where_the_programs_listen(settings: Settings) -> None:
    worker, serve = (PODS[name]["spec"]["containers"][0] for name in ("worker", "serve"))
    assert settings.worker.web_enabled
    assert worker["ports"] == [{"name": "web", "containerPort": settings.worker.web_port}]
    assert serve["ports"] == [{"name": "http", "containerPort": settings.serve.port}]
    for container in (worker, serve):
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert container[probe]["httpGet"]["port"] == container["ports"][0]["name"]


def test_a_pod_has_the_time_for_its_last_commit(settings: Settings) -> None:
    grace_s = PODS["worker"]["spec"]["terminationGracePeriodSeconds"]
    assert grace_s > settings.worker.shutdown_timeout_s
    assert (
        PODS["serve"]["spec"]["terminationGracePeriodSeconds"] > settings.serve.shutdown_timeout_s
    )


def test_memory_holds_what_the_settings_allow(settings: Settings) -> None:
    limit = PODS["worker"]["spec"]["containers"][0]["resources"]["limits"]["memory"]
    bounded_mib = (
        settings.worker.rocksdb_block_cache_mib + settings.kafka.producer_queue_kib_max / 1024
    )
    assert int(limit[:-2]) * MIB[limit[-2:]] > bounded_mib


@pytest.mark.parametrize("name", PODS)
def test_selectors_find_their_pods(name: str) -> None:
    labels = PODS[name]["metadata"]["labels"]
    budget = find("PodDisruptionBudget", f"stream-rec-{name}")["spec"]
    policy = find("NetworkPolicy", f"stream-rec-{name}")["spec"]
    for selector in (
        WORKLOADS[name]["spec"]["selector"],
        budget["selector"],
        policy["podSelector"],
    ):
        assert selector["matchLabels"].items() <= labels.items()
    kafka_port = int(load_settings(FOLDER / "settings.toml").kafka.broker.split(":")[1])
    assert kafka_port in {port["port"] for rule in policy["egress"] for port in rule["ports"]}


def test_the_scaler_watches_the_workers_lag(settings: Settings) -> None:
    scaler = find("ScaledObject", "stream-rec-worker")["spec"]
    (trigger,) = scaler["triggers"]
    assert scaler["scaleTargetRef"]["name"] == WORKLOADS["worker"]["metadata"]["name"]
    assert scaler["maxReplicaCount"] == settings.topics.partitions
    assert trigger["metadata"]["bootstrapServers"] == settings.kafka.broker
    assert trigger["metadata"]["consumerGroup"] == settings.app_id
    assert trigger["metadata"]["topic"] == settings.topics.events


def test_settings_hold_only_what_differs(settings: Settings) -> None:
    given = tomllib.loads((FOLDER / "settings.toml").read_text())
    defaults = load_settings(None).model_dump(mode="json")
    for section, values in given.items():
        for name, value in values.items():
            assert defaults[section][name] != value, f"{section}.{name} is the default"
