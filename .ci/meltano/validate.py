"""Checks plugin definitions against MeltanoHub's schemas, and project files against Meltano's own.

    validate.py CONFORMANCE_FOLDER DEFINITIONS_FOLDER PROJECT_FILE...
"""

import json
import sys
from pathlib import Path

import jsonschema
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from ruamel.yaml import YAML

conformance, definitions, *projects = map(Path, sys.argv[1:])
yaml = YAML(typ="safe")  # as Meltano reads it: "off" is a text
schemas = conformance / "hub/schemas"


def load(path: Path) -> dict:
    """A schema whose identity is where it lies, so that its references lead to its neighbours."""
    return {**json.loads(path.read_text()), "$id": path.resolve().as_uri()}


registry = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema, default_specification=DRAFT7))
    for schema in map(load, schemas.rglob("*.schema.json"))
)
wrong = 0


def check(name: str, document: object, schema: dict) -> None:
    global wrong
    for error in jsonschema.Draft7Validator(schema, registry=registry).iter_errors(document):
        wrong += 1
        print(f"{name}: {error.json_path}: {error.message[:300]}")


for plugin, kind in (("tap-jira", "extractors"), ("target-s3", "loaders")):
    document = yaml.load(definitions / f"{plugin}.yml")
    check(plugin, document, load(schemas / f"plugin_definitions/{kind}.schema.json"))
    # What is not allowed has to be noticed.
    before = wrong
    check(f"{plugin} (spoilt)", {**document, "quality": "splendid"}, load(schemas / f"plugin_definitions/{kind}.schema.json"))
    wrong = before if wrong > before else wrong + 1

schema = json.loads((conformance / "meltano/meltano.schema.json").read_text())
for project in projects:
    for error in jsonschema.validators.validator_for(schema)(schema).iter_errors(yaml.load(project)):
        wrong += 1
        print(f"{project}: {error.json_path}: {error.message[:300]}")
sys.exit(1 if wrong else 0)
