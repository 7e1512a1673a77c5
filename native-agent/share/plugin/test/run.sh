#!/bin/sh
# run.sh CAIRN LIBRARY SETTINGS PROGRAM: a checkpoint and a restart of a real program with the plugin, in a folder of their own.
set -eu
cairn=$1 library=$2 settings=$3 program=$4

unset CAIRN_SESSION CAIRN_AGENT_SOCKET 2>/dev/null || true
folder=$(mktemp -d /tmp/cairn-XXXXXX)
CAIRN_RUNTIME_DIR=$folder/run CAIRN_STORE=$folder/store
export CAIRN_RUNTIME_DIR CAIRN_STORE
mkdir -m 700 "$CAIRN_RUNTIME_DIR"
cd "$folder"

finish() {
  for session in first second; do "$cairn" stop --session $session --grace 1 >stop.log 2>&1 || true; done
  cd /
  rm -rf "$folder"
}
trap finish EXIT

# expect SESSION TEXT: the plugin says so within ten seconds.
expect() {
  tries=0
  until "$cairn" logs --session "$1" | grep -q "@NAME@: $2"; do
    tries=$((tries + 1))
    if [ $tries -gt 50 ]; then
      echo "the plugin did not say \"$2\" in the session $1. Its log:" >&2
      "$cairn" logs --session "$1" >&2
      exit 1
    fi
    sleep 0.2
  done
}

"$cairn" run --detach --session first --plugin "$library=$settings" -- "$program"
"$cairn" checkpoint --session first --name here
expect first 'good day: drain (checkpoints 0, restarts 0)'
expect first 'good day: precheckpoint (checkpoints 1, restarts 0)'
expect first 'good day: resume (checkpoints 1, restarts 0)'
expect first 'good day: running (checkpoints 1, restarts 0)'

# With other settings.
echo '{ "greeting": "welcome" }' >settings.json
"$cairn" restart here --detach --session second --plugin "$library=settings.json"
expect second 'welcome: restart (checkpoints 1, restarts 1)'
expect second 'welcome: refill (checkpoints 1, restarts 1)'
expect second 'welcome: running (checkpoints 1, restarts 1)'
"$cairn" tables plugin --session second | grep -q 'seen .*checkpoints 1, restarts 1'
# And others while the program runs.
"$cairn" plugins set --session second '@NAME@.greeting=good bye'
"$cairn" checkpoint --session second
expect second 'good bye: drain (checkpoints 1, restarts 1)'
echo 'the plugin was told of the checkpoint and of the restart'
