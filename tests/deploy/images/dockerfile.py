"""Reads a Dockerfile as far as this project's need it: stages of instructions, variables put in."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction: `name` in capitals, and its text with lines joined and comments left out."""

    name: str
    text: str

    def words(self) -> list[str]:
        """The arguments, of the JSON form or the plain one."""
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return shlex.split(self.text)


@dataclass(slots=True, kw_only=True)
class Stage:
    """What one FROM begins."""

    base: str
    name: str
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, name: str) -> Instruction:
        """The last instruction of this name; the one that counts."""
        return [each for each in self.instructions if each.name == name][-1]

    def pairs(self, name: str) -> dict[str, str]:
        """What all instructions of this name set, as in `ENV a=b c=d`."""
        found: dict[str, str] = {}
        for each in self.instructions:
            if each.name == name:
                for word in each.words():
                    key, _, value = word.partition("=")
                    found[key] = value
        return found


def read(path: Path) -> list[Stage]:
    """The stages of a Dockerfile.

    Raises:
        ValueError: An instruction comes before the first FROM, or a variable in a FROM is not declared.
    """
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")]
    declared: dict[str, str] = {}
    stages: list[Stage] = []
    for whole in re.sub(r"\\\n\s*", " ", "\n".join(lines)).splitlines():
        name, _, text = whole.strip().partition(" ")
        if not name:
            continue
        if name == "FROM":
            base, _, alias = _put_in(text, declared).partition(" AS ")
            stages.append(Stage(base=base, name=alias))
        elif stages:
            stages[-1].instructions.append(Instruction(name=name, text=text.strip()))
        elif name == "ARG":
            key, _, value = text.partition("=")
            declared[key] = value
        else:
            raise ValueError(f"{path}: {name} before FROM")
    return stages


def _put_in(text: str, values: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in values:
            raise ValueError(f"FROM: {name} is not declared")
        return values[name]

    return _VARIABLE.sub(value, text)
