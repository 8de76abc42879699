"""What a client of the API as it was documented before would stumble over.

A client may ignore what it does not know: new operations, optional parameters, properties and enum values of answers
are compatible. It must be able to send what it sent and to read what it read.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

Json = Mapping[str, Any]

_NARROWING: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "maximum": lambda old, new: new < old,
    "exclusiveMaximum": lambda old, new: new < old,
    "maxLength": lambda old, new: new < old,
    "maxItems": lambda old, new: new < old,
    "minimum": lambda old, new: new > old,
    "exclusiveMinimum": lambda old, new: new > old,
    "minLength": lambda old, new: new > old,
    "minItems": lambda old, new: new > old,
    "pattern": lambda old, new: new != old,
    "format": lambda old, new: new != old,
}


class Comparison:
    """Compares two OpenAPI documents.

    Args:
        old: What clients know.
        new: What is.
    """

    def __init__(self, old: Json, new: Json) -> None:
        self._old = old
        self._new = new
        self._seen: set[tuple[str, str, bool]] = set()

    def breaks(self) -> list[str]:
        """Each thing that breaks a client, by where it is."""
        return list(dict.fromkeys(self._paths()))

    def _paths(self) -> Iterator[str]:
        for path, operations in self._old["paths"].items():
            for method, old in operations.items():
                where = f"{method.upper()} {path}"
                new = self._new["paths"].get(path, {}).get(method)
                if new is None:
                    yield f"{where}: is gone"
                else:
                    yield from self._operation(where, old, new)

    def _operation(self, where: str, old: Json, new: Json) -> Iterator[str]:
        known = {(each["in"], each["name"]): each for each in old.get("parameters", [])}
        found = {(each["in"], each["name"]): each for each in new.get("parameters", [])}
        for key, parameter in known.items():
            if key not in found:
                yield f"{where} {key[1]}: is gone"
            else:
                yield from self._schema(f"{where} {key[1]}", parameter["schema"], found[key]["schema"], sent=True)
        for key, parameter in found.items():
            if parameter.get("required") and not known.get(key, {}).get("required"):
                yield f"{where} {key[1]}: is required now"
        yield from self._body(where, old.get("requestBody"), new.get("requestBody"))
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{where} {status}: is gone"
                continue
            for media_type, content in answer.get("content", {}).items():
                now = new["responses"][status].get("content", {}).get(media_type)
                if now is None:
                    yield f"{where} {status} {media_type}: is gone"
                else:
                    at = f"{where} {status}"
                    yield from self._schema(at, content.get("schema", {}), now.get("schema", {}), sent=False)

    def _body(self, where: str, old: Json | None, new: Json | None) -> Iterator[str]:
        if new is None:
            if old is not None:
                yield f"{where} body: is gone"
            return
        if new.get("required") and not (old or {}).get("required"):
            yield f"{where} body: is required now"
        for media_type, content in (old or {"content": {}})["content"].items():
            if media_type not in new["content"]:
                yield f"{where} body {media_type}: is gone"
            else:
                yield from self._schema(
                    f"{where} body", content["schema"], new["content"][media_type]["schema"], sent=True
                )

    def _schema(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
        if "$ref" in old and "$ref" in new:
            if (old["$ref"], new["$ref"], sent) in self._seen:
                return
            self._seen.add((old["$ref"], new["$ref"], sent))
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        before, after = _variants(self._old, old), _variants(self._new, new)
        # Whoever sends may use each variant of before; whoever reads must know each variant that may come now.
        wanted, given = (before, after) if sent else (after, before)
        missing = sorted(wanted.keys() - given.keys()) if given else []
        # A number takes an integer as well.
        missing = [kind for kind in missing if not (kind == "integer" and "number" in given)]
        if missing:
            yield f"{where}: {', '.join(missing)} {'is not taken' if sent else 'may come'} now"
        for kind in before.keys() & after.keys():
            yield from self._variant(where, before[kind], after[kind], sent=sent)

    def _variant(self, where: str, old: Json, new: Json, *, sent: bool) -> Iterator[str]:
        if sent:
            for limit, narrower in _NARROWING.items():
                if limit in new and (limit not in old or narrower(old[limit], new[limit])):
                    yield f"{where}: {limit} is {new[limit]} now"
            gone = set(old.get("enum", [])) - set(new.get("enum", old.get("enum", [])))
            if gone:
                yield f"{where}: {', '.join(map(str, sorted(gone)))} is not taken now"
        had, has = old.get("properties", {}), new.get("properties", {})
        must, may = (new, old) if sent else (old, new)
        for name in sorted(set(must.get("required", [])) - set(may.get("required", []))):
            yield f"{where}.{name}: {'is required' if sent else 'may be missing'} now"
        for name in sorted(had.keys() & has.keys()):
            yield from self._schema(f"{where}.{name}", had[name], has[name], sent=sent)
        for name in sorted(had.keys() - has.keys()):
            yield f"{where}.{name}: is gone"
        for inner in ("items", "additionalProperties"):
            if isinstance(old.get(inner), Mapping) and isinstance(new.get(inner), Mapping):
                yield from self._schema(f"{where}[]", old[inner], new[inner], sent=sent)


def _resolved(document: Json, schema: Json) -> Json:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _variants(document: Json, schema: Json) -> dict[str, Json]:
    """The forms that a value may have, by type, and objects of several by the name of their schema."""
    several = schema.get("anyOf") or schema.get("oneOf")
    if not several:
        kinds = schema.get("type", [])
        return dict.fromkeys([kinds] if isinstance(kinds, str) else kinds, schema)
    found: dict[str, Json] = {}
    for each in several:
        resolved = _resolved(document, each)
        name = each["$ref"].rpartition("/")[2] if "$ref" in each and len(several) > 2 else None
        found |= {name: resolved} if name else _variants(document, resolved)
    return found
