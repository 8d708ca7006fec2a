"""PyAirbyte and destination-s3: the real host, the built program, a real S3 server. What the host's own tests do not
look at is read back from the server's folder.

Run from the repository's root by .ci/suites/pyairbyte-destination, which names the server in S3_SERVER_BIN.
"""

import gzip
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import airbyte as ab
import pytest
from airbyte.cli.smoke_test_source._scenarios import PREDEFINED_SCENARIOS, get_scenario_records
from airbyte.exceptions import AirbyteConnectorCheckFailedError, AirbyteConnectorWriteError
from airbyte.strategies import WriteStrategy

DESTINATION = Path("bin/destination-s3").resolve()
PYAB = Path(sys.executable).parent / "pyab"
KEYS = {"ROOT_ACCESS_KEY": "test-access-key", "ROOT_SECRET_KEY": "test-secret-key"}


class Lake:
    """A bucket, and what its commit log says of it."""

    def __init__(self, folder):
        (folder / "lake").mkdir(parents=True)
        self.folder = folder / "lake"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [os.environ["S3_SERVER_BIN"], "--quiet", "--port", self.address, "posix", folder]
        self.server = subprocess.Popen(command, env={**os.environ, **KEYS}, stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", int(self.address.split(":")[1]))) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError("the S3 server does not answer")

    def config(self, prefix):
        return {
            "s3_bucket": "lake",
            "s3_key_prefix": prefix,
            "aws_region": "us-east-1",
            "aws_endpoint_url": f"http://{self.address}",
            "aws_access_key_id": KEYS["ROOT_ACCESS_KEY"],
            "aws_secret_access_key": KEYS["ROOT_SECRET_KEY"],
        }

    def commits(self, prefix):
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob(f"{prefix}/_commits/*/*.json"))]

    def rows(self, prefix):
        """The rows of each stream: those that are committed, and nothing else may lie there."""
        objects = {o["key"]: o["stream"] for commit in self.commits(prefix) for o in commit["objects"]}
        rows = {}
        for path in self.folder.glob(f"{prefix}/*/ingest_date=*/*.jsonl.gz"):
            stream = objects[str(path.relative_to(self.folder))]
            lines = gzip.decompress(path.read_bytes()).decode().splitlines()
            rows.setdefault(stream, []).extend(json.loads(line) for line in lines)
        return rows


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    lake = Lake(tmp_path_factory.mktemp("s3"))
    yield lake
    lake.server.terminate()
    lake.server.wait(10)


def destination_for(config):
    return ab.get_destination("destination-s3", local_executable=DESTINATION, config=config)


def pyab(tmp_path, command, config, *more):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config))
    arguments = [PYAB, *command, f"--config={path}", *more]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=600, check=False)


def source_of(folder, scenarios):
    """A source that says what the host's own smoke test source would, but starts in no time."""

    def stream(scenario):
        described = {"name": scenario["name"], "json_schema": scenario["json_schema"]}
        return {**described, "supported_sync_modes": ["full_refresh"]}

    def status(scenario, status):
        told = {"stream_descriptor": {"name": scenario["name"]}, "status": status}
        return {"type": "TRACE", "trace": {"type": "STREAM_STATUS", "emitted_at": 1.0, "stream_status": told}}

    def read(scenario):
        yield status(scenario, "STARTED")
        for data in get_scenario_records(scenario):
            record = {"stream": scenario["name"], "data": data, "emitted_at": int(time.time() * 1000)}
            yield {"type": "RECORD", "record": record}
        yield status(scenario, "COMPLETE")

    answers = {
        "spec": [{"type": "SPEC", "spec": {"connectionSpecification": {"type": "object", "properties": {}}}}],
        "check": [{"type": "CONNECTION_STATUS", "connectionStatus": {"status": "SUCCEEDED"}}],
        "discover": [{"type": "CATALOG", "catalog": {"streams": [stream(one) for one in scenarios]}}],
        "read": [message for one in scenarios for message in read(one)],
    }
    for command, messages in answers.items():
        (folder / command).write_text("".join(json.dumps(message) + "\n" for message in messages))
    program = folder / "source"
    program.write_text(f'#!/bin/sh\nexec cat "{folder}/$1"\n')
    program.chmod(0o755)
    return ab.get_source("source-prepared", local_executable=program, config={}, streams="*")


def predefined(*names):
    return [scenario for scenario in PREDEFINED_SCENARIOS if scenario["name"] in names]


def without_nulls(record):
    """As PyAirbyte passes records on."""
    return {name: value for name, value in record.items() if value is not None}


def data_of(row):
    return {name: value for name, value in row.items() if not name.startswith("_airbyte_")}


def test_pyab_validate(lake, tmp_path):
    ended = pyab(tmp_path, ["validate", f"--connector={DESTINATION}"], lake.config("validate"))
    assert ended.returncode == 0, ended.stderr
    assert "Connection check succeeded" in ended.stderr


def test_check_tells_what_is_wrong(lake):
    config = {**lake.config("check"), "s3_bucket": "no-such-bucket"}
    with pytest.raises(AirbyteConnectorCheckFailedError) as failure:
        destination_for(config).check()
    assert "no-such-bucket" in str(failure.value)


def test_pyab_destination_smoke_test(lake, tmp_path):
    command = ["destination-smoke-test", f"--destination={DESTINATION}", "--scenarios=all"]
    ended = pyab(tmp_path, command, lake.config("smoke"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    result = json.loads(ended.stdout[ended.stdout.index("\n{") :])
    assert result["success"] and result["preflight_passed"]
    rows = lake.rows("smoke")
    for scenario in PREDEFINED_SCENARIOS:
        arrived = rows.get(f"{result['namespace']}.{scenario['name']}", [])
        sent = [without_nulls(record) for record in get_scenario_records(scenario)]
        assert [data_of(row) for row in arrived] == sent, scenario["name"]
    every = [row for stream in rows.values() for row in stream]
    assert len({row["_airbyte_raw_id"] for row in every}) == len(every)
    assert all(abs(row["_airbyte_extracted_at"] / 1000 - time.time()) < 600 for row in every)


def test_overwrite_replaces_and_append_does_not(lake, tmp_path):
    source = source_of(tmp_path, predefined("basic_types"))
    destination = destination_for(lake.config("modes"))

    def write(strategy):
        destination.write(source, cache=False, state_cache=False, write_strategy=strategy)
        return Counter(row["id"] for row in lake.rows("modes")["basic_types"])

    assert write(WriteStrategy.REPLACE) == {1: 1, 2: 1, 3: 1}
    assert write(WriteStrategy.REPLACE) == {1: 1, 2: 1, 3: 1}
    assert write(WriteStrategy.APPEND) == {1: 2, 2: 2, 3: 2}


def test_data_of_a_cache_and_its_states(lake, tmp_path):
    """What PyAirbyte reads back from its cache comes with a state for each stream, which it expects back."""
    source = source_of(tmp_path, predefined("basic_types", "large_batch_stream"))
    destination = destination_for({**lake.config("cache"), "batch_size_rows": 100})
    destination.write(source, cache=ab.new_local_cache("smoke", tmp_path), write_strategy=WriteStrategy.APPEND)
    assert {name: len(rows) for name, rows in lake.rows("cache").items()} == {
        "basic_types": 3,
        "large_batch_stream": 1000,
    }


def test_a_failure_is_told(lake, tmp_path):
    config = {**lake.config("failure"), "validate_records": "fail"}
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    bad = {"name": "bad", "json_schema": schema, "records": [{"id": "x"}]}
    source = source_of(tmp_path, [*predefined("basic_types"), bad])
    with pytest.raises(AirbyteConnectorWriteError) as failure:
        destination_for(config).write(source, cache=False, state_cache=False)
    # PyAirbyte keeps what the connector said in a file, and shows its name.
    told = failure.value.original_exception or failure.value
    assert "/id must be integer, not string" in Path(failure.value.log_file).read_text(), told
