"""Selects with random catalogs, by singer-sdk and by tap-jira, and compares what is left of a schema and a record.

    selection.py [CASES]

Two differences are meant, and taken out before the comparison: the words "true" and "false" are booleans to tap-jira
(to the SDK both are true), and a catalog that says nothing of a stream itself selects it (the SDK then leaves out
whatever the catalog does mention, even keys).
"""

import copy
import json
import random
import subprocess
import sys
from pathlib import Path

from singer_sdk.helpers._catalog import get_selected_schema, pop_deselected_record_properties
from singer_sdk.singerlib.catalog import Catalog

NAMES = ["id", "a", "b", "properties", "items", "é"]
FLAGS = [True, False, None, "true", "false"]


def random_schema(rng: random.Random, depth: int) -> dict:
    kind = rng.choice(["string", "object", "object", "array"]) if depth > 0 else "string"
    if kind == "array":
        return {"type": ["null", "array"], "items": random_schema(rng, depth - 1)}
    if kind == "string" or (depth < 2 and rng.random() < 0.15):
        return {"type": ["null", kind]}
    names = rng.sample(NAMES, rng.randint(1, len(NAMES)))
    schema = {"type": ["null", "object"], "properties": {name: random_schema(rng, depth - 1) for name in names}}
    if rng.random() < 0.5:
        schema["required"] = rng.sample(names, rng.randint(0, len(names)))
    return schema


def record_of(rng: random.Random, schema: dict) -> object:
    if "array" in schema["type"]:
        return [record_of(rng, schema["items"]) for _ in range(rng.randint(0, 2))]
    if "object" not in schema["type"]:
        return rng.choice(["x", 1, None, {"a": 1, "unknown": {"b": 2}}])
    members = {name: record_of(rng, member) for name, member in schema.get("properties", {}).items()}
    return members if rng.random() < 0.9 else {**members, "unknown": 1}


def breadcrumbs(schema: dict, at: tuple = ()) -> list:
    found = []
    for name, member in schema.get("properties", {}).items():
        below = (*at, "properties", name)
        found += [below, *breadcrumbs(member, below)]
    if "items" in schema:
        found += breadcrumbs(schema["items"], (*at, "items"))
    return found


def random_metadata(rng: random.Random) -> dict:
    said = {}
    if rng.random() < 0.6:
        said["inclusion"] = rng.choice(["available", "available", "automatic", "unsupported"])
    if rng.random() < 0.6:
        said["selected"] = rng.choice(FLAGS)
    if rng.random() < 0.4:
        said["selected-by-default"] = rng.choice(FLAGS)
    return said


def random_case(rng: random.Random) -> dict:
    schema = {**random_schema(rng, 0), "type": "object"}
    schema["properties"] = {name: random_schema(rng, 2) for name in rng.sample(NAMES, 4)}
    schema["required"] = list(schema["properties"])[: rng.randint(0, 3)]
    known = [*breadcrumbs(schema), ("properties", "gone"), ("properties", "gone", "properties", "a")]
    places = [place for place in known if rng.random() < rng.choice([0.2, 0.9])]
    places += [rng.choice(known) for _ in range(rng.randint(0, 2))]  # some are said twice
    metadata = [{"breadcrumb": place, "metadata": random_metadata(rng)} for place in places]
    root = {"breadcrumb": [], "metadata": random_metadata(rng)}
    if rng.random() < 0.5:
        root["metadata"]["selected"] = True
    if rng.random() < 0.9:
        metadata.append(root)
    rng.shuffle(metadata)
    record = {name: record_of(rng, member) for name, member in schema["properties"].items()}
    stream = {"tap_stream_id": "s", "schema": schema, **({"metadata": metadata} if rng.random() < 0.95 else {})}
    return {"catalog": {"streams": [stream]}, "schema": schema, "record": record}


def as_the_sdk_takes_it(catalog: dict) -> dict:
    catalog = copy.deepcopy(catalog)
    for stream in catalog["streams"]:
        metadata = stream.get("metadata", [])
        for item in metadata:
            for name in ("selected", "selected-by-default"):
                if isinstance(item["metadata"].get(name), str):
                    item["metadata"][name] = item["metadata"][name] == "true"
        if metadata and all(len(item["breadcrumb"]) > 0 for item in metadata):
            metadata.append({"breadcrumb": [], "metadata": {"selected": True}})
    return catalog


def by_the_sdk(case: dict) -> dict:
    entry = Catalog.from_dict(as_the_sdk_takes_it(case["catalog"]))["s"]
    mask = entry.metadata.resolve_selection()
    if not mask.get((), True):
        return {"selected": False}
    record = copy.deepcopy(case["record"])
    pop_deselected_record_properties(record, case["schema"], mask)
    return {"selected": True, "schema": get_selected_schema("s", case["schema"], mask), "record": record}


rng = random.Random(1)
cases = [random_case(rng) for _ in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)]
asked = subprocess.run(
    ["node", Path(__file__).with_suffix(".js")], input=json.dumps(cases), stdout=subprocess.PIPE, text=True, check=True
)
differing = [
    (case, expected, answer)
    for case, answer in zip(cases, json.loads(asked.stdout), strict=True)
    if answer != (expected := by_the_sdk(case))
]
for case, expected, answer in differing[:3]:
    print(f"catalog  {json.dumps(case['catalog'])}\nrecord   {json.dumps(case['record'])}")
    print(f"sdk      {json.dumps(expected)}\ntap-jira {json.dumps(answer)}\n")
print(f"{len(cases)} catalogs, {len(differing)} differ")
sys.exit(1 if differing else 0)
