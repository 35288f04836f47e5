"""Build the sdist and, from it, the wheel; see that it holds what it should; run it away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"ground", "engine", "warehouse", "jobs"}
DATA = ("jobs/data/rules/features.yml", "jobs/data/rules/scorecard.yml", "warehouse/facts/bundle.toml")


def run(*command: str, folder: Path, **variables: str) -> str:
    """Run a command and return what it printed; stop with its output if it fails."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed with code {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def check_names(names: list[str]) -> list[str]:
    """Return what is wrong with the list of files in the wheel."""
    top = {name.split("/", 1)[0] for name in names}
    packages = {name for name in top if not name.endswith(".dist-info")}
    wrong = [f"unexpected top-level name {name}" for name in sorted(packages - PACKAGES)]
    wrong += [f"missing package {name}" for name in sorted(PACKAGES - packages)]
    wrong += [f"missing data file {name}" for name in DATA if name not in names]
    wrong += [f"a run's output travels along: {name}" for name in names if name.endswith((".duckdb", ".wal"))]
    templates = (ROOT / "jobs" / "report" / "templates").glob("*.j2")
    for source in sorted(
        [*(ROOT / "rules").rglob("*.yml"), *(ROOT / "warehouse").rglob("*.sql"), *templates]
    ):
        inside = source.relative_to(ROOT).as_posix()
        inside = f"jobs/data/{inside}" if inside.startswith("rules/") else inside
        if inside not in names:
            wrong.append(f"missing {inside}")
    return wrong


def main() -> None:
    """Check the wheel; exit 1 with every fault."""
    with tempfile.TemporaryDirectory(prefix="curbline-wheel-") as name:
        folder = Path(name)
        run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), folder=ROOT)
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            wrong = check_names(archive.namelist())
            archive.extractall(folder / "unpacked")
        if wrong:
            sys.exit("\n".join(wrong))
        # -P and the path keep the checkout out, so rules and facts must come from the wheel.
        alone = {"PYTHONPATH": str(folder / "unpacked")}
        entry = (sys.executable, "-P", "-c", "import sys; from jobs.cli import main; sys.exit(main())")
        where = run(sys.executable, "-P", "-c", "import jobs; print(jobs.__file__)", folder=folder, **alone)
        if not where.startswith(str((folder / "unpacked").resolve())):
            sys.exit(f"the wheel was not what ran: {where}")
        run(*entry, "rules", "check", folder=folder, **alone)
        for method in sorted((folder / "unpacked/jobs/data/rules/methods").iterdir()):
            run(*entry, "rules", "check", "--rules", str(method), folder=folder, **alone)
        run(
            *entry,
            "facts",
            "check",
            str(folder / "unpacked/warehouse/facts"),
            "--alone",
            "--strict",
            folder=folder,
            **alone,
        )
        print(f"{wheel.name}: {', '.join(sorted(PACKAGES))}; rules and facts checked from the wheel")


if __name__ == "__main__":
    main()
