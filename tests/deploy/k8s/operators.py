"""What the operators say of their own objects: the resource definitions that KEDA and the Prometheus operator publish.

They are read from the operators' Go modules, which carry them; each module is pinned by its checksum. A definition is
checked as a cluster does it, and more strictly: a field that it does not know is an error, where a cluster would drop
it in silence. Rules in CEL (`x-kubernetes-validations`) and what an operator's webhook refuses are not checked.
"""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import yaml

Object = dict[str, Any]

KEDA: Final = (
    "github.com/kedacore/keda/v2@v2.20.2",
    "h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=",
    "config/crd/bases",
)
PROMETHEUS: Final = (
    "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    "example/prometheus-operator-crd",
)
"""Module and version, its checksum as go.sum has it, and its folder of definitions."""

MODULES: Final = {"keda.sh": KEDA, "monitoring.coreos.com": PROMETHEUS}
"""By API group."""

_INSTALLED: Final = Path("/usr/local/go/bin/go")


def go() -> str | None:
    """Where Go is; `None` where it is not installed."""
    return str(_INSTALLED) if _INSTALLED.is_file() else shutil.which("go")


def problems(each: Object) -> list[str]:
    """What is wrong with an object, each with the field's path.

    Raises:
        KeyError: No operator here defines its group.
        RuntimeError: A module cannot be had, or is not the pinned one.
    """
    schema = _definition(each["apiVersion"], each["kind"])
    found = jsonschema.Draft202012Validator(schema).iter_errors(each)
    return [f"{error.json_path}: {error.message}" for error in found]


@cache
def _definition(api_version: str, kind: str) -> Object:
    group, _, version = api_version.partition("/")
    path = _folder(group) / f"{group}_{kind.lower()}s.yaml"
    versions = yaml.safe_load(path.read_text(encoding="utf-8"))["spec"]["versions"]
    [schema] = [each["schema"]["openAPIV3Schema"] for each in versions if each["name"] == version]
    return _strict(schema, top=True)


@cache
def _folder(group: str) -> Path:
    module, wanted, folder = MODULES[group]
    command = [go() or "go", "mod", "download", "-json", module]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout or "{}")
    if done.returncode != 0:
        raise RuntimeError(f"{module}: {told.get('Error', done.stderr)}")
    if told["Sum"] != wanted:
        raise RuntimeError(f"{module}: its checksum is {told['Sum']}, expected {wanted}")
    return Path(told["Dir"]) / folder


def _strict(schema: Object, *, top: bool = False) -> Object:
    """A structural schema as JSON schema that refuses unknown fields."""
    made = dict(schema)
    if "properties" in schema:
        made["properties"] = {name: _strict(each) for name, each in schema["properties"].items()}
        if top:
            made["properties"]["metadata"] = {"type": "object"}  # the API server's own; checked with every kind
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    if isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = _strict(schema["additionalProperties"])
    if "items" in schema:
        made["items"] = _strict(schema["items"])
    return made
