/** bash: pipelines, here-documents, process substitution, background jobs, traps, coprocesses, command substitution. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programTest, sorted, untilCheckpointed } from './program-under-cairn.js';

const script = (folder: string): string[] => ['bash', '--norc', join(folder, 'script.sh')];
const write =
  (text: string) =>
  (folder: string): void =>
    writeFileSync(join(folder, 'script.sh'), text);

programTest({
  name: 'bash: pipelines, here-documents and process substitution',
  command: script,
  prepare: write(`
set -u -o pipefail
# Open all the time, so that it is in the snapshot as it was.
exec 3> pairs
echo begun
total=0
for i in $(seq 1 12); do
  # Four processes; a slow writer, so that a checkpoint meets the pipes with something in them.
  sum=$(for n in 1 2 3; do echo "$((i * n))"; sleep 0.01; done | tee >(wc -l > count.$i) | awk '{ s += $1 } END { print s }')
  text=$(cat <<END | tr a-z A-Z
round $i of the script in $(basename "$PWD")
END
)
  total=$((total + sum))
  echo "$text: $sum, in all $total"
  while read -r a b; do echo "pair $a $b"; done < <(paste <(seq $i $((i + 2))) <(seq 11 13)) >&3
  diff <(sort -n <<< "$i") <(echo "$i") || echo different
done
${untilCheckpointed}
exec 5<> <(:) 2> /dev/null || true
echo "total $total" | tee result | sed 's/^/the /'
`),
  begun: /^begun$/m,
  waits: true,
  result: (find) => readFileSync(find('result'), 'utf8') + readFileSync(find('pairs'), 'utf8'),
});

programTest({
  name: 'bash: background jobs, traps, signals and coprocesses',
  command: script,
  prepare: write(`
trap 'echo "got usr1"; seen=$((seen + 1))' USR1
trap 'echo "the end, $seen signals"' EXIT
seen=0
echo begun
exec 4< <(for i in 1 2 3 4 5 6; do echo "item $i"; sleep 0.05; done)
coproc double { while read -r n; do echo $((n * 2)); done; }
for i in 1 2 3 4 5 6; do
  echo $i >&\${double[1]}
  read -r twice <&\${double[0]}
  echo "twice $i is $twice"
  sleep 0.05 & wait $!
  echo "job: $?"
  (sleep 0.02; kill -USR1 $$) &
  helper=$!
  until [ $seen = $i ]; do sleep 0.01; done
  wait $helper
  echo "helper: $?"
done
eval "exec \${double[1]}>&-"
while read -r line; do echo "queue: $line"; done <&4
sleep 30 & sleeper=$!
until [ "$(cat /proc/$sleeper/comm)" = sleep ]; do :; done
kill %sleep; wait $sleeper
echo "sleeper: $?"
${untilCheckpointed}
exit 3
`),
  begun: /^begun$/m,
  waits: true,
  status: 3,
  normal: (stdout) => sorted(stdout),
});
