"""Which AWS operations a service's code calls: read from its source, so that rare paths count too.

A module is read if the service's `app` reaches it by imports, and of a shared module only the functions whose names are
mentioned by what has been read already. A module speaks to the AWS services whose client types it imports
(`types_aiobotocore_sqs`) or whose clients it makes (`aws.client("sqs")`); every mention of one of their operations
counts.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import grimp
from botocore import xform_name
from botocore.session import get_session

_SOURCES: Final = Path(__file__).parents[3]
_PACKAGES: Final = sorted(
    path.parent.name for folder in ("libs", "services") for path in _SOURCES.glob(f"{folder}/*/src/*/__init__.py")
)


@cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph(*_PACKAGES)


@cache
def _operations(service: str) -> dict[str, str]:
    names = get_session().get_service_model(service).operation_names
    return {xform_name(name): name for name in names}


def _file(module: str) -> Path:
    inside = Path(*module.split("."))
    for source in (*_SOURCES.glob("libs/*/src"), *_SOURCES.glob("services/*/src")):
        for candidate in (source / inside.with_suffix(".py"), source / inside / "__init__.py"):
            if candidate.is_file():
                return candidate
    raise FileNotFoundError(module)


@dataclass(frozen=True, slots=True)
class _Function:
    """A function, or what a module does when it is imported (`name` is empty then)."""

    module: str
    name: str
    mentions: frozenset[str]
    """Every name and attribute in it, and the arguments of `get_paginator` and `get_waiter`."""


def _mentions(nodes: Iterable[ast.AST]) -> frozenset[str]:
    found = set()
    for node in nodes:
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr.startswith("get_"):
            found |= {
                arg.value for arg in node.args[:1] if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            }
    return frozenset(found)


@cache
def _functions(module: str) -> tuple[_Function, ...]:
    tree = ast.parse(_file(module).read_text(encoding="utf-8"))
    within: set[ast.AST] = set()
    functions = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node not in within:
            inner = list(ast.walk(node))
            within.update(inner)
            functions.append(_Function(module, node.name, _mentions(inner)))
    outside = (node for node in ast.walk(tree) if node not in within)
    return (_Function(module, "", _mentions(outside)), *functions)


@cache
def _spoken(module: str) -> frozenset[str]:
    """AWS services that a module speaks to."""
    spoken = set()
    for node in ast.walk(ast.parse(_file(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("types_aiobotocore_"):
            spoken.add(node.module.removeprefix("types_aiobotocore_").partition(".")[0].replace("_", "-"))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            first = node.args[0]
            if node.func.attr in ("client", "create_client") and isinstance(first, ast.Constant):
                spoken.add(str(first.value))
    return frozenset(spoken)


def calls_of(service: str) -> set[tuple[str, str]]:
    """AWS service and operation of every call that `sensorcast_{service}` can make."""
    app = f"sensorcast_{service}.app"
    modules = {app, *_graph().find_upstream_modules(app)}
    functions = {function for module in modules for function in _functions(module)}
    reached = {each for each in functions if each.name == "" or each.module.startswith(f"sensorcast_{service}")}
    while True:
        mentioned = {name for each in reached for name in each.mentions}
        more = {each for each in functions - reached if each.name in mentioned or each.name.startswith("__")}
        if not more:
            break
        reached |= more
    return {
        (spoken, operation)
        for each in reached
        for spoken in _spoken(each.module)
        for name, operation in _operations(spoken).items()
        if name in each.mentions
    }
