"""A hundred thousand mutated rule files: what became of each.

    python -m bench.fuzz_rules [COUNT] [FIRST_SEED]

Every mutant is a real rule file, spoilt by one or two mutations that its seed draws (tests/engine/mutations.py). It
ends well if it is refused with a place and a mend, or if it is accepted and says, read by PyYAML without the engine
and with no key twice, just what the engine read. Anything else is printed with its seed, and fails the run.
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache

from engine.language.checks.versions import fingerprint
from engine.language.examples import given_row
from engine.language.load import read_rule
from engine.language.oracle import evaluate_rule
from engine.language.rules import Rule
from ground.words import ENDS
from tests.engine.fuzzing import CHANGED, LONGEST_S, REFUSED, SAME, Outcome, try_one
from tests.engine.rulebook import default_ruleset

COUNT = 100_000
CHUNK = 500
WELL = (REFUSED, SAME, CHANGED)


def main(arguments: Sequence[str]) -> int:
    count = int(arguments[0]) if arguments else COUNT
    first = int(arguments[1]) if len(arguments) > 1 else 0
    start = time.perf_counter()
    by_mutation, codes, nets = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    bad: list[tuple[int, Outcome]] = []
    slowest = 0.0
    chunks = [range(at, min(at + CHUNK, first + count)) for at in range(first, first + count, CHUNK)]
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for mutations, refusals, caught, wrong, longest in pool.map(run, chunks):
            by_mutation += mutations
            codes += refusals
            nets += caught
            bad += wrong
            slowest = max(slowest, longest)
    show(by_mutation, codes, nets)
    for seed, outcome in bad[:50]:
        print(f"seed {seed}: {outcome.kind}: {outcome.mutation} of {outcome.file}: {outcome.detail[:300]}")
    print(
        f"{count} mutants in {time.perf_counter() - start:.0f} s, slowest {slowest:.2f} s, {len(bad)} ended badly."
    )
    return 1 if bad or slowest > LONGEST_S else 0


Chunk = tuple[Counter[tuple[str, str]], Counter[str], Counter[str], list[tuple[int, Outcome]], float]


def run(seeds: range) -> Chunk:
    mutations, codes, nets = Counter[tuple[str, str]](), Counter[str](), Counter[str]()
    bad, slowest = [], 0.0
    for seed in seeds:
        outcome = try_one(seed)
        mutations[outcome.mutation, outcome.kind] += 1
        codes.update(outcome.codes)
        slowest = max(slowest, outcome.seconds)
        if outcome.kind not in WELL:
            bad.append((seed, outcome))
        elif outcome.kind == CHANGED:
            nets[net(outcome)] += 1
    return mutations, codes, nets, bad, slowest


def net(outcome: Outcome) -> str:
    """What would still notice a mutant that is a sound rule of another meaning."""
    rule, _ = read_rule(outcome.data.decode("utf-8-sig"), outcome.file)
    assert rule is not None
    if any(not passes(rule, place) for place in range(len(rule.examples))):
        return "a test in the file fails (R080)"
    before = originals()[outcome.file]
    if rule.version == before.version and fingerprint(rule) != fingerprint(before):
        return "scores could change and the version did not (R070, --against)"
    return "words, references, tests or version alone"


@cache
def originals() -> dict[str, Rule]:
    return {rule.file: rule for rule in default_ruleset().rules}


def passes(rule: Rule, place: int) -> bool:
    example, features = rule.examples[place], default_ruleset().features
    got = evaluate_rule(rule, features, given_row(features, example.given), example.on)
    want = [None] * 3 if example.expect is None else [example.expect.end(end) for end in ENDS]
    return all(
        (g is None and w is None) or (g is not None and w is not None and abs(g - w) < 1e-9)
        for g, w in zip(got, want, strict=True)
    )


def show(by_mutation: Counter[tuple[str, str]], codes: Counter[str], nets: Counter[str]) -> None:
    kinds = [*WELL, *sorted({kind for _, kind in by_mutation} - set(WELL))]
    names = sorted({name for name, _ in by_mutation})
    print(f"| mutation | {' | '.join(kinds)} |\n|---|{'---:|' * len(kinds)}")
    for name in names:
        print(f"| {name} | {' | '.join(str(by_mutation[name, kind]) for kind in kinds)} |")
    totals = [sum(by_mutation[name, kind] for name in names) for kind in kinds]
    print(f"| **all** | {' | '.join(map(str, totals))} |\n")
    print("Refusals by code:", ", ".join(f"{code} {n}" for code, n in sorted(codes.items())))
    for what, n in nets.most_common():
        print(f"Of those accepted with another meaning: {n} {what}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
