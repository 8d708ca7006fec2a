#!/usr/bin/env bash
# One run from the saved state to the next one; for cron, in the folder that holds tap.json and target.json.
set -euo pipefail # without pipefail, a failure of the tap would look like success
touch state.jsonl # an empty file is no state: the first run reads everything
tap-jira --config tap.json --state state.jsonl | target-s3 --config target.json >> state.jsonl
# All went well: only the last line is needed any more.
tail -n 1 state.jsonl > state.jsonl.new && mv state.jsonl.new state.jsonl
