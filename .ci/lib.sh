# shellcheck shell=bash
# What suites share; sourced from the root of the repository. CI_CACHE is kept between runs, CI_WORK is not.

cache=${CI_CACHE:-$HOME/.cache/jira-to-s3}
root=$PWD
shared=$root/../shared

# Only one suite at a time builds what several need: once NAME COMMAND... makes NAME in the cache, or does nothing.
once() {
  local name=$1
  shift
  mkdir -p "$cache"
  (
    flock 9
    [ -e "$cache/$name.complete" ] || { "$@" && touch "$cache/$name.complete"; }
  ) 9> "$cache/$name.lock"
}

# A Python environment of its own for each set of requirements: venv NAME REQUIREMENT... It is "$cache/venv-NAME".
venv() { once "venv-$1" make_venv "$@"; }
make_venv() {
  local folder=$cache/venv-$1
  shift
  rm -rf "$folder"
  python3 -m venv "$folder" && "$folder/bin/pip" install --quiet "$@"
}

# An S3 server on a folder; the program is "$s3_server".
s3_server=$cache/versitygw-1.7.0
s3_server() { once versitygw-1.7.0 make_s3_server; }
make_s3_server() {
  GOBIN=$cache/go timeout 900 go install github.com/versity/versitygw/cmd/versitygw@v1.7.0 &&
    mv "$cache/go/versitygw" "$s3_server"
}

# An imitation of AWS: S3, STS, SSM, Secrets Manager; the program is "$moto_server".
moto_server=$cache/venv-moto-5.2.5/bin/moto_server
moto_venv() { venv moto-5.2.5 'moto[s3,secretsmanager,server,ssm]==5.2.5'; }

# PyAirbyte, for the suites of both connectors; it is "$cache/venv-$pyairbyte".
pyairbyte=airbyte-0.71.3
pyairbyte_venv() { venv "$pyairbyte" 'airbyte==0.71.3' 'duckdb==1.4.3' 'pytest==9.2.0'; }

# Starts a simulated Jira as a process of its own: start_jira FOLDER OPTION... writes FOLDER/tap.json.
jira_pid=
start_jira() {
  local folder=$1 line
  shift
  coproc JIRA { exec node dist/test/support/jira/main.js "$@"; }
  jira_pid=$JIRA_PID
  read -r -t 30 line <&"${JIRA[0]}" || return 1
  node -e 'console.log(JSON.stringify(JSON.parse(process.argv[1]).config))' "$line" > "$folder/tap.json"
}

stop_jira() {
  kill "$jira_pid" 2> /dev/null
  wait "$jira_pid" 2> /dev/null
  jira_pid=
}
trap '[ -z "$jira_pid" ] || kill "$jira_pid"' EXIT

# Ends a suite with what a report says: finish_with REPORT EXIT_CODE
finish_with() {
  local line
  line=$(node .ci/count.js "$1" "$2")
  echo "$line"
  [[ $line == *' 0 failed' ]]
  exit
}

# The same for several: count NAME REPORT COMMAND... adds up, finish ends.
passed=0
failed=0
count() {
  local name=$1 report=$2 status=0 line
  shift 2
  echo "-- $name"
  timeout 900 "$@" || status=$?
  line=$(node .ci/count.js "$report" "$status")
  echo "-- $name: $line"
  passed=$((passed + ${line%% *}))
  line=${line#*, }
  failed=$((failed + ${line%% *}))
}

# A command, or a function, that counts as one test: check NAME COMMAND...
check() {
  local name=$1 limit=()
  shift
  [ "$(type -t "$1")" = file ] && limit=(timeout 900)
  echo "-- $name"
  if "${limit[@]}" "$@"; then passed=$((passed + 1)); else
    failed=$((failed + 1))
    echo "-- FAILED: $name"
  fi
}

finish() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
  exit
}

# Ends a suite that could not begin: give_up WHY
give_up() {
  echo "FAILED: $1"
  failed=$((failed + 1))
  finish
}

# Ends a suite whose input is not beside this checkout.
need_shared() {
  [ -e "$shared/$1" ] && return
  echo "left out: ../shared/$1 is not beside this checkout"
  echo '0 passed, 0 failed'
  exit 0
}
