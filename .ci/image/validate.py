"""Checks metadata of connectors against Airbyte's schema: validate.py FILE..."""

import json
import sys
from importlib.resources import files
from pathlib import Path

import jsonschema
import yaml

schema = json.loads(
    (files("airbyte_connector_models.metadata.v0") / "ConnectorMetadataDefinitionV0.json").read_text()
)
validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
wrong = 0
for path in sys.argv[1:]:
    document = yaml.safe_load(Path(path).read_text())
    for error in validator.iter_errors(document):
        wrong += 1
        print(f"{path}: {error.json_path}: {error.message[:300]}")
    # What is not allowed has to be noticed.
    if validator.is_valid({**document, "data": {**document["data"], "connectorType": "bucket"}}):
        wrong += 1
        print(f"{path}: a wrong connectorType is not noticed")
sys.exit(1 if wrong else 0)
