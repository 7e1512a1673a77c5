#!/bin/sh
# run.sh CAIRN LIBRARY CAMPAIGN PROGRAM: a campaign with the model, from a snapshot of a real program, in a folder of its own.
set -eu
cairn=$1 library=$2 campaign=$3 program=$4

unset CAIRN_SESSION CAIRN_AGENT_SOCKET 2>/dev/null || true
folder=$(mktemp -d /tmp/cairn-XXXXXX)
CAIRN_RUNTIME_DIR=$folder/run CAIRN_STORE=$folder/.cairn
export CAIRN_RUNTIME_DIR CAIRN_STORE
mkdir -m 700 "$CAIRN_RUNTIME_DIR"
cd "$folder"

finish() {
  "$cairn" stop --session first --grace 1 >stop.log 2>&1 || true
  cd /
  rm -rf "$folder"
}
trap finish EXIT

# expect PATTERN COUNT FILE: so many lines of it match.
expect() {
  found=$(grep -c "$1" "$3" || true)
  if [ "$found" != "$2" ]; then
    echo "there are $found lines with $1, not $2:" >&2
    cat "$3" >&2
    exit 1
  fi
}

printf 'aaaaaaaabbbbbbbbcccccccc' >data
touch hold
"$cairn" run --detach --session first -- "$program"
"$cairn" checkpoint --session first --name here --then kill
rm hold

sed "s|build/@NAME@.so|$library|" "$campaign" >campaign.yaml
"$cairn" campaign run campaign.yaml
"$cairn" campaign show campaign.yaml >shown
expect silentDataCorruption 2 shown
expect detected 2 shown
expect masked 2 shown
echo 'each fault had the outcome that it should have'
