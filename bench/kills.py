"""Does a run that is killed ever hurt what is published? And does a reader ever see two nights at once?

Kills `curbline run` (SIGKILL, with its workers) at moments spread over its whole length on a small bundle, and asks
`curbline verify` after each; then publishes night after night under readers that open the pointer again and again.
Prints what was seen, phase by phase. `python -m bench.kills [KILLS] [PUBLISHES] [READERS]`; run by hand.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.warehouse.conftest import small_facts, write_bundle

_READER = """
import sys
from pathlib import Path
import duckdb
path, stop = sys.argv[1], Path(sys.argv[2])
reads = mixed = 0
while not stop.exists():
    with duckdb.connect(path, read_only=True) as file:
        runs = file.execute(
            "SELECT run_id FROM meta.run UNION SELECT DISTINCT run_id FROM mart.route_score"
        ).fetchall()
    reads, mixed = reads + 1, mixed + (len(runs) != 1)
print(reads, mixed)
"""


def command(*words: str) -> list[str]:
    """Return a command line of Curbline in this interpreter."""
    return [sys.executable, "-m", "jobs.cli", *words]


def night(out: Path, day: date) -> list[str]:
    """Return the command that scores a day; the facts lie beside the output folder."""
    facts = str(out.parent / "tiny")
    return command("run", "--facts", facts, "--out", str(out), "--as-of", day.isoformat(), "--draws", "16")


def said(words: Sequence[str]) -> tuple[int, str]:
    """Return how a command ends, and what it says."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def phase_of(out: Path) -> str:
    """Return the last thing that the run under way told of itself."""
    log = out / "log.jsonl"
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    last = json.loads(lines[-1]) if lines else {}
    event = str(last.get("event", ""))
    return str(last.get("phase") or ("before its first line" if event in ("", "ended") else event))


def kills(out: Path, count: int, first: date) -> int:
    """Kill a run at each of so many moments; return how often something was not as promised."""
    begun = time.perf_counter()
    code, words = said(night(out, first))
    whole = time.perf_counter() - begun
    if code not in (0, 10):
        print(f"the first run ended with {code}:\n{words}")
        return 1
    print(f"a run takes {whole:.1f} s; it is killed at {count} moments of that")
    after: Counter[str] = Counter()
    ended = faults = 0
    for k in range(count):
        day = first + timedelta(days=k + 1)
        with subprocess.Popen(
            night(out, day), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as run:
            try:
                run.wait(timeout=whole * (k + 1) / count)
                ended += 1
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()
                after[phase_of(out)] += 1
        code, words = said(command("verify", "--out", str(out)))
        if code:
            faults += 1
            print(f"killed at moment {k + 1}: verify ended with {code}:\n{words}")
    for phase, times in sorted(after.items()):
        print(f"  {times:3} killed; last line of its log: {phase}")
    print(f"  {ended:3} had ended before their moment; {faults} of {count} did not verify")
    code, words = said(night(out, first + timedelta(days=count + 1)))
    left = [path.name for path in out.rglob(".build-*")]
    code_all, words_all = said(command("verify", "--all", "--out", str(out)))
    print(f"the next run ends with {code}, verify --all with {code_all}; left behind: {left or 'nothing'}")
    if code not in (0, 10) or code_all:
        print(words, words_all)
    return faults + (code not in (0, 10)) + bool(code_all) + len(left)


def publishes(out: Path, count: int, readers: int, first: date) -> int:
    """Publish under readers; return how often one failed or saw two nights."""
    code, words = said(night(out, first))
    if code not in (0, 10):
        print(words)
        return 1
    pointer = out / "curbline.duckdb"
    # The readers are told to end once all has been published; that is a file, so that none is cut off.
    stop = out / "stop"
    read = [
        subprocess.Popen(
            [sys.executable, "-c", _READER, str(pointer), str(stop)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(readers)
    ]  # fmt: skip
    failed = sum(said(night(out, first + timedelta(days=k + 1)))[0] not in (0, 10) for k in range(count))
    stop.touch()
    reads = mixed = broken = 0
    for reader in read:
        told, trouble = reader.communicate()
        if reader.returncode:
            broken += 1
            print(trouble[-500:])
            continue
        own, own_mixed = (int(figure) for figure in told.split())
        reads, mixed = reads + own, mixed + own_mixed
    print(
        f"{count} publishes under {readers} readers: {reads} reads, {mixed} of two nights, {broken} readers failed, "
        f"{failed} publishes failed"
    )
    return mixed + broken + failed


def main(arguments: Sequence[str]) -> int:
    """Do both; 1 where a promise was broken."""
    kill_count, publish_count, readers = (
        int(given) for given in (*arguments, *("50", "20", "8")[len(arguments) :])
    )
    first = datetime.now(UTC).date() - timedelta(days=kill_count + publish_count + 10)
    with tempfile.TemporaryDirectory() as folder:
        write_bundle(Path(folder) / "tiny", small_facts())
        faults = kills(Path(folder) / "kills", kill_count, first)
        faults += publishes(Path(folder) / "readers", publish_count, readers, first)
    print("as promised" if not faults else f"{faults} broken promises")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
