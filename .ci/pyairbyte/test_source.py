"""PyAirbyte and source-jira: the real host, the built program, a simulated Jira whose issues are edited between reads.

Run from the repository's root by .ci/suites/pyairbyte.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import airbyte as ab
import pytest
from airbyte.caches import DuckDBCache
from airbyte.exceptions import AirbyteConnectorCheckFailedError, AirbyteConnectorFailedError

SOURCE = Path("bin/source-jira").resolve()
STREAMS = ["issues", "issue_comments", "issue_worklogs", "issue_changelogs"]
ISSUES = 120


class Jira:
    """The simulated Jira as a process; `tell` obeys {"edit": {"count": 3}} and the like."""

    def __init__(self, flavour):
        program = ["node", "dist/test/support/jira/main.js", "--flavour", flavour, "--issues", str(ISSUES)]
        self.process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.config = json.loads(self.process.stdout.readline())["config"]

    def tell(self, command):
        print(json.dumps(command), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())["ids"]


@pytest.fixture(scope="module", params=["cloud", "datacenter"])
def jira(request):
    jira = Jira(request.param)
    yield jira
    jira.process.terminate()
    jira.process.wait(10)


def source_for(config, **more):
    return ab.get_source("source-jira", local_executable=SOURCE, config=config, **more)


def rows(cache, stream):
    return {row["id"]: row for row in cache[stream]}


def test_pyab_validate(jira, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(json.dumps(jira.config))
    pyab = Path(sys.executable).parent / "pyab"
    command = [pyab, "validate", f"--connector={SOURCE}", f"--config={config}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == 0, ended.stderr
    assert "Connection check succeeded" in ended.stderr


def test_check_and_discover(jira):
    source = source_for(jira.config)
    source.check()
    assert source.get_available_streams() == STREAMS
    assert source.discovered_catalog.streams[0].source_defined_primary_key == [["id"]]


def test_check_tells_what_is_wrong(jira):
    credentials = {key: "wrong" if "token" in key else value for key, value in jira.config["credentials"].items()}
    credentials["auth_type"] = jira.config["credentials"]["auth_type"]
    with pytest.raises(AirbyteConnectorCheckFailedError) as failure:
        source_for({**jira.config, "credentials": credentials}).check()
    assert "check credentials" in failure.value.context["failure_reason"]


def test_read_twice(jira, tmp_path):
    """The second read brings what was edited in between, and nothing else."""
    cache = DuckDBCache(db_path=tmp_path / "cache.duckdb")
    source = source_for(jira.config, streams="*")

    first = source.read(cache=cache)
    issues = rows(cache, "issues")
    assert len(issues) == ISSUES
    counts = {stream: len(cache[stream]) for stream in STREAMS}
    assert all(counts.values()), counts
    assert first.processed_records == sum(counts.values())

    edited = jira.tell({"edit": {"count": 7}})
    second = source.read(cache=cache)
    after = rows(cache, "issues")
    assert len(after) == ISSUES
    changed = {id for id, row in after.items() if row["_airbyte_raw_id"] != issues[id]["_airbyte_raw_id"]}
    assert changed == set(edited)
    for id in edited:
        assert after[id]["fields"]["summary"].startswith("Edited at")
    # An edited issue brings its comments, worklogs and histories again, and one more history.
    assert len(edited) < second.processed_records < first.processed_records / 4
    assert len(cache["issue_changelogs"]) > counts["issue_changelogs"]

    third = source.read(cache=cache)
    assert third.processed_records == 0


def test_a_failed_project_fails_the_read(jira, tmp_path):
    cache = DuckDBCache(db_path=tmp_path / "cache.duckdb")
    source = source_for({**jira.config, "projects": ["WEB", "NOTHERE"]}, streams=["issues"])
    with pytest.raises(AirbyteConnectorFailedError):
        source.read(cache=cache)


def test_the_program_of_the_docs(jira, monkeypatch, capsys):
    if jira.config["credentials"]["auth_type"] != "api_token":
        pytest.skip("the program is for Cloud")
    (program,) = re.findall(r"```python\n(.*?)```", Path("docs/hosts/airbyte.md").read_text(), re.DOTALL)
    get_source = ab.get_source

    def with_our_jira(name, *, local_executable, config, streams):
        assert local_executable == name == SOURCE.name
        assert config.keys() - {"projects"} == jira.config.keys()
        assert config["credentials"].keys() == jira.config["credentials"].keys()
        return get_source(name, local_executable=SOURCE, config=jira.config, streams=streams)

    monkeypatch.setattr(ab, "get_source", with_our_jira)
    exec(program, {})  # noqa: S102
    assert f"{ISSUES} issues" in capsys.readouterr().out
