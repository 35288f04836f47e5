"""Ways in which a rule file goes wrong: slips of hand, editors, encodings, and ill will. Seeded."""

import random
import re
from collections.abc import Callable

LOOKALIKES = {"a": "\u0430", "e": "\u0435", "o": "\u043e", "c": "\u0441", "-": "\u2013", " ": "\u00a0", ":": "\uff1a", "0": "\uff10"}  # fmt: skip
UNSEEN = (
    "\u200b",
    "\u202e",
    "\u200f",
    "\u2066",
    "\ufeff",
    "\u00ad",
    "\x85",
    "\u2028",
    "\x0c",
    "\x1b",
    "\x00",
)
SIGNS = "{}[],:#&*!|>'\"%@`-?\\\t $~<=.0"
SWAPS = [
    ("true", "yes"), ("false", "no"), ("0.5", ".5"), ("0.", "0,"), ("1", "1e0"), ("1", "01"), ("1", "+1"), ("1", "1_0"),
    ("1", "0x1"), ("20", "20 "), ("-01", "-1"), ("-01", "-31"), (": ", ":"), (", ", ","), ('"', "'"), ("{", "["), ("}", ""),
    ("]", ""), ("$", ""), ("low", "high"), ("from", "form"), ("value", "vlaue"), (": ", ": &a "), (": ", ": *a "), (": ", ": !!str "),
    (": ", ": null # "), (": ", ": ~ # "), (": ", ": >"), ("- ", "-"), ("- ", "- - "), ("  ", "\t"), ("\n", "\n---\n"), ("\n", "\n...\n"),
    ("share", "days"), ("active", "draft"), ("1", "12345678901234567890"), ("1", "1.0"), ("0", "-0"), ("0", ".nan"), ("1", ".inf"),
    ("1", "1:30"), ("x", "\\u202e"), ("1", "١"), ("2025", "0000"), ("2020", "9999"),
]  # fmt: skip
Mutate = Callable[[str, random.Random], str | bytes]


def _line(change: Callable[[list[str], int, random.Random], None]) -> Mutate:
    def mutate(text: str, draw: random.Random) -> str:
        lines = text.split("\n")
        change(lines, draw.randrange(len(lines)), draw)
        return "\n".join(lines)

    return mutate


def _delete(lines: list[str], at: int, draw: random.Random) -> None:
    del lines[at : at + draw.choice((1, 1, 2, 5))]


def _repeat(lines: list[str], at: int, draw: random.Random) -> None:
    lines.insert(draw.randrange(len(lines)), lines[at])


def _twice(lines: list[str], at: int, draw: random.Random) -> None:
    lines.insert(at, lines[at])


def _move(lines: list[str], at: int, draw: random.Random) -> None:
    line = lines.pop(at)
    lines.insert(draw.randrange(len(lines) + 1), line)


def _indent(lines: list[str], at: int, draw: random.Random) -> None:
    by = draw.choice((-4, -2, -1, 1, 2, 4))
    for place in range(at, min(at + draw.choice((1, 1, 3)), len(lines))):
        line = lines[place]
        lines[place] = " " * by + line if by > 0 else line[min(-by, len(line) - len(line.lstrip())) :]


def _cut(lines: list[str], at: int, draw: random.Random) -> None:
    del lines[at:]


def _letter(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    kind = draw.randrange(4)
    if kind == 0:
        return text[:at] + text[at + 1 :]
    if kind == 1:
        return text[:at] + draw.choice(SIGNS) + text[at + 1 :]
    if kind == 2:
        return text[:at] + text[at : at + 1] * 2 + text[at + 1 :]
    return text[:at] + draw.choice(SIGNS) + text[at:]


def _digit(text: str, draw: random.Random) -> str:
    found = [match.start() for match in re.finditer("[0-9]", text)]
    if not found:
        return text
    at = draw.choice(found)
    return text[:at] + draw.choice("0123456789.-") + text[at + 1 :]


def _words(text: str, draw: random.Random) -> str:
    found = list(re.finditer(r"[\w.$-]+", text))
    if len(found) < 2:
        return text
    one, other = sorted(draw.sample(found, 2), key=lambda match: match.start())
    return text[: one.start()] + other[0] + text[one.end() : other.start()] + one[0] + text[other.end() :]


def _swap(text: str, draw: random.Random) -> str:
    old, new = draw.choice(SWAPS)
    found = [match.start() for match in re.finditer(re.escape(old), text)]
    if not found:
        return text
    at = draw.choice(found)
    return text[:at] + new + text[at + len(old) :]


def _lookalike(text: str, draw: random.Random) -> str:
    found = [at for at, letter in enumerate(text) if letter in LOOKALIKES]
    if not found:
        return text
    at = draw.choice(found)
    return text[:at] + LOOKALIKES[text[at]] + text[at + 1 :]


def _unseen(text: str, draw: random.Random) -> str:
    at = draw.randrange(len(text))
    return text[:at] + draw.choice(UNSEEN) + text[at:]


def _encoding(text: str, draw: random.Random) -> bytes:
    encodings = (
        text.encode("utf-16"),
        text.encode("utf-16-le"),
        b"\xef\xbb\xbf" + text.encode(),
        b"\xef\xbb\xbf" * 2 + text.encode(),
        text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r").encode(),
        text.replace("e", "\xe9", 3).encode("latin-1", "replace"),
        text.encode()[: draw.randrange(len(text))] + b"\xff\xfe",
    )
    return draw.choice(encodings)


def _block(text: str, draw: random.Random) -> str:
    """A top-level key and what belongs to it is written twice, or goes elsewhere."""
    blocks: list[str] = re.findall(r"^\S.*\n(?:\s.*\n)*", text, flags=re.MULTILINE)
    if len(blocks) < 2:
        return text
    block = blocks[draw.randrange(len(blocks))]
    rest = text if draw.random() < 0.5 else text.replace(block, "", 1)
    at = text.index(draw.choice(blocks)) if rest is text else 0
    return rest[:at] + block + rest[at:]


def _flood(text: str, draw: random.Random) -> str:
    laughs = 'a: &a ["x","x","x","x"]\n' + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
    )
    key = draw.choice(("title", "owner", "explain"))
    long = (
        "[" * 4000,
        "{a: " * 900 + "1" + "}" * 900,
        "x" * 30_000,
        "x" * 2_000_000,
        '"' + "y " * 9_000 + '"',
    )
    floods = (
        re.sub(rf"^{key}: .*$", f"{key}: {draw.choice(long)}", text, flags=re.MULTILINE),
        laughs + text,
        re.sub(r"0\.\d", "0." + "3" * 5000, text, count=1),
        text + "  " * 500 + "- x\n",
        text + "\n" * 20_000,
        text + "# " + "x" * 50_000,
        text + "".join(f"k{i}: {i}\n" for i in range(500)),
    )
    return draw.choice(floods)


MUTATIONS: dict[str, Mutate] = {
    "lines deleted": _line(_delete), "line copied elsewhere": _line(_repeat), "line twice": _line(_twice),
    "line moved": _line(_move), "indentation": _line(_indent), "cut off": _line(_cut), "letter": _letter, "digit": _digit,
    "words swapped": _words, "spelling": _swap, "lookalike": _lookalike, "unseen character": _unseen, "encoding": _encoding,
    "block": _block, "flood": _flood,
}  # fmt: skip
RARE = {"flood": 0.1, "encoding": 0.3, "cut off": 0.3}


def mutant(text: str, draw: random.Random) -> tuple[str, bytes]:
    """A mutated file, and the name of its (last) mutation; one in four is mutated twice."""
    name, data = "", text.encode()
    for _ in range(2 if draw.random() < 0.25 else 1):
        names = list(MUTATIONS)
        (name,) = draw.choices(names, [RARE.get(one, 1.0) for one in names])
        made = MUTATIONS[name](data.decode("utf-8", "replace") or " 0 words", draw)
        data = made if isinstance(made, bytes) else made.encode("utf-8", "replace")
    return name, data
