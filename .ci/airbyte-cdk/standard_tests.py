"""Airbyte's standard tests for connectors, as the Python CDK has them, on the built programs and a simulated Jira.

The CDK runs connectors in its own process; here a verb is a process, whose lines the CDK reads as if they came from an
image. Run from the repository's root by .ci/suites/airbyte-cdk.
"""

import json
import os
import subprocess
from pathlib import Path

from airbyte_cdk.test import entrypoint_wrapper
from airbyte_cdk.test.standard_tests import SourceTestSuiteBase
from airbyte_cdk.test.standard_tests.destination_base import DestinationTestSuiteBase

pytest_plugins = ["airbyte_cdk.test.standard_tests.pytest_hooks"]

WORK = Path(os.environ["CI_WORK"])


class Program:
    """A connector that is an executable."""

    def __init__(self, path):
        self.path = Path(path).resolve()

    def spec(self, _logger):
        raise NotImplementedError("ask the program")


def run_program(source, args, **_):
    ended = subprocess.run([source.path, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert ended.stderr == ""
    output = entrypoint_wrapper.EntrypointOutput(messages=ended.stdout.splitlines(), command=args, stderr=ended.stderr)
    # `check` says in words that it failed; any other verb says so by its exit code as well.
    assert ended.returncode == (1 if output.errors else 0)
    return output


entrypoint_wrapper._run_command = run_program


def connector(name, sections):
    """A folder as the tests want it: what to run, with which configurations."""
    root = WORK / name
    root.mkdir(exist_ok=True)
    (root / "metadata.yaml").write_text(json.dumps({"data": {"connectorType": name.split("-")[0]}}))
    tests = {section: {"tests": entries} for section, entries in sections.items()}
    (root / "acceptance-test-config.yml").write_text(
        json.dumps({"connector_image": name, "test_strictness_level": "high", "acceptance_tests": tests})
    )
    return root


def config(name, content):
    path = WORK / f"{name}.json"
    path.write_text(json.dumps(content))
    return str(path)


jira = json.loads((WORK / "tap.json").read_text())
wrong = {name: "this-is-wrong" for name in ("token", "api_token") if name in jira["credentials"]}
good = [{"config_path": config("good", jira)}]
bad = [
    config("wrong-secret", {**jira, "credentials": {**jira["credentials"], **wrong}}),
    config("no-such-project", {**jira, "projects": ["NOPE"]}),
]


class TestSource(SourceTestSuiteBase):
    root = connector(
        "source-jira",
        {
            "spec": good,
            "connection": [
                *({**entry, "status": "succeed"} for entry in good),
                *({"config_path": path, "status": "failed"} for path in bad),
            ],
            "discovery": good,
            "basic_read": good,
            "full_refresh": good,
        },
    )

    @classmethod
    def get_connector_root_dir(cls):
        return cls.root

    @classmethod
    def create_connector(cls, scenario):
        return Program("bin/source-jira")


class TestDestination(DestinationTestSuiteBase):
    root = connector(
        "destination-s3",
        {
            "spec": [{"config_path": config("folder", {"local_path": str(WORK / "lake")})}],
            "connection": [
                {"config_path": config("folder", {"local_path": str(WORK / "lake")}), "status": "succeed"},
                {"config_path": config("nowhere", {"local_path": "/proc/nowhere"}), "status": "failed"},
            ],
        },
    )

    @classmethod
    def get_connector_root_dir(cls):
        return cls.root

    @classmethod
    def create_connector(cls, scenario):
        return Program("bin/destination-s3")

    test_spec = SourceTestSuiteBase.test_spec
