"""What `lunasig describe` says, and JSON Schemas checked and exemplified by it."""

import functools
import json
import subprocess

import jsonschema
import lunasig_server


@functools.cache
def described(kind):
    """The description of the stock policies: "openapi" or "asyncapi"."""
    root = lunasig_server.REPOSITORY
    command = [str(lunasig_server.binary()), "describe", kind, "--policy", str(root / "lua")]
    return json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60, cwd=root / "tests").stdout)


def resolved(value, document):
    """The value with what its references refer to in their places."""
    if isinstance(value, list):
        return [resolved(one, document) for one in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        at = document
        for name in value["$ref"].removeprefix("#/").split("/"):
            at = at[name]
        return resolved(at, document)
    return {name: resolved(one, document) for name, one in value.items()}


def problems(value, schema):
    """What is wrong with a value, as texts."""
    return [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(value)]


EXAMPLES = {"string": "x", "integer": 1, "number": 1, "boolean": True, "null": None, "array": [], "object": {}}


def example(schema, all_fields=False):
    """A value that passes the schema: the smallest one, or with all fields of objects."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type", "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        wanted = schema.get("properties", {}) if all_fields else schema.get("required", [])
        return {name: example(schema["properties"][name], all_fields) for name in wanted}
    if kind == "array":
        return [example(schema.get("items", {}), all_fields)] * schema.get("minItems", 0)
    if kind == "string":
        return "x" * max(schema.get("minLength", 1), 1)
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), min(1, schema.get("maximum", 1)))
    return EXAMPLES[kind]
