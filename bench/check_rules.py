"""`curbline rules check` of two hundred rules, from a cold start: seconds on the clock and on the processor.

python -m bench.check_rules
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bench.measure import measure

ROOT = Path(__file__).resolve().parents[1]
RULES, RUNS = 200, 5


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("features.yml", "scorecard.yml"):
            (folder / file).write_bytes((ROOT / "rules" / file).read_bytes())
        rule = (ROOT / "rules" / "withholding" / "dual-use-licence.yml").read_text(encoding="utf-8")
        for i in range(RULES):
            text = rule.replace("id: dual-use-licence", f"id: rule-{i}")
            (folder / f"rule-{i}.yml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "jobs.cli", "rules", "check", "--rules", str(folder)]
        runs = [measure(command, ROOT) for _ in range(RUNS)]
    assert f"{RULES + 2} files" in runs[0].output
    print(runs[0].output.strip().split("/")[-1])
    print(f"clock: median {statistics.median(run.seconds for run in runs):.2f} s")
    print(f"processor: median {statistics.median(run.cpu_seconds for run in runs):.2f} s")
    print(f"memory: {max(run.peak_mib for run in runs):.0f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
