"""The operators' files under deploy/: read by what reads them where this machine has it, and held against the program."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from jobs.cli import app
from jobs.cron import check_cron
from jobs.errors import ExitCode
from jobs.operating import ScheduleSettings

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")


def units(to: Path) -> list[str]:
    """The units, with a program that this machine has in the place of Curbline."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/curbline/bin/curbline", "/bin/true")
        (to / unit.name).write_text(text, encoding="utf-8")
    return [str(to / unit.name) for unit in UNITS]


@needs_systemd
def test_systemd_takes_the_units_without_a_word(tmp_path: Path) -> None:
    said = subprocess.run(
        ["systemd-analyze", "verify", *units(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout + said.stderr) == (0, "")


@needs_systemd
@pytest.mark.parametrize("name", ["curbline.service", "curbline-schedule.service"])
def test_the_services_are_confined(tmp_path: Path, name: str) -> None:
    units(tmp_path)
    said = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(tmp_path / name)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    level = re.search(r"Overall exposure level .*: ([\d.]+)", said.stdout)
    if level is None:
        pytest.skip("this systemd knows no --offline")
    assert float(level[1]) <= 2.0  # of 10


def test_a_stop_by_systemd_leaves_the_run_its_time() -> None:
    text = (DEPLOY / "systemd" / "curbline-schedule.service").read_text(encoding="utf-8")
    minutes = re.search(r"^TimeoutStopSec=(\d+)min$", text, re.MULTILINE)
    assert minutes is not None
    assert float(minutes[1]) > ScheduleSettings().grace_minutes
    assert "KillMode=mixed" in text
    assert f"RestartPreventExitStatus={ExitCode.SETTINGS:d}" in text


def test_every_command_in_the_files_is_one_of_curbline() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    files = [path for path in DEPLOY.rglob("*") if path.is_file()]
    named = {
        match[1]
        for path in files
        for match in re.finditer(
            r"(?:bin/curbline|args: \[\"curbline) ([a-z]+)", path.read_text(encoding="utf-8")
        )
    }
    assert named == {"run", "schedule"}
    assert named <= commands


def test_the_crontab_starts_when_the_settings_do() -> None:
    (line,) = [
        one for one in (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines() if one[:1].isdigit()
    ]
    fields = line.split()
    check_cron(" ".join(fields[:5]))
    assert " ".join(fields[:5]) == ScheduleSettings().cron
    assert "%" not in line  # which cron takes for the end of the line
    assert line.endswith(f"|| [ $? -eq {ExitCode.WARNINGS:d} ]")


def test_the_cron_job_may_do_little_and_is_not_repeated_in_vain() -> None:
    documents: list[dict[str, Any]] = list(
        yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8"))
    )
    claim, job = documents
    assert (claim["kind"], job["kind"], job["apiVersion"]) == ("PersistentVolumeClaim", "CronJob", "batch/v1")
    assert (job["spec"]["schedule"], job["spec"]["timeZone"]) == (ScheduleSettings().cron, "Etc/UTC")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    spec = job["spec"]["jobTemplate"]["spec"]
    (rule,) = spec["podFailurePolicy"]["rules"]
    assert rule["onExitCodes"]["values"] == [ExitCode.CHECKS_FAILED, ExitCode.SETTINGS]
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]


@pytest.mark.parametrize(("code", "seen"), [(0, 0), (10, 0), (20, 20), (50, 50)])
def test_the_container_ends_well_with_warnings_only(code: int, seen: int) -> None:
    job = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))[1]
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    script = container["args"][0].replace("curbline run --out /data", f"(exit {code})")
    assert subprocess.run([*container["command"], script], check=False).returncode == seen


def test_the_image_runs_as_nobody_special_and_holds_what_the_wheel_is_made_of() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "--require-hashes" in text
    context = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line.removeprefix("!") for line in context if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    named = [project["project"]["readme"], *project["project"]["license-files"]]
    assert sent == {*wheel, *named, "pyproject.toml", "requirements.lock"}
