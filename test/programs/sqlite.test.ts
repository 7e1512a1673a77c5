/** sqlite3 in a transaction: the restarted one goes on with it and commits; database and journal belong together. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { programTest, untilCheckpointed } from './program-under-cairn.js';

for (const mode of ['delete', 'wal']) {
  programTest({
    name: `sqlite3 in a transaction, journal_mode ${mode}`,
    command: ['sh', '-c', 'exec sqlite3 -bail base.db < program.sql'],
    needs: ['sqlite3'],
    prepare: (folder) => {
      mkdirSync(folder, { recursive: true });
      const inserts = Array.from(
        { length: 20 },
        (_, round) => `
insert into t select ${round} * 100 + value, hex(zeroblob(200)) from generate_series(1, 100);
update t set text = text || ${round} where n % 7 = ${round % 7};
select 'round ${round}', count(*), sum(length(text)) from t;
.shell sleep 0.02
`,
      ).join('');
      writeFileSync(
        join(folder, 'program.sql'),
        `pragma journal_mode = ${mode};
pragma cache_size = 20;
create table t (n integer primary key, text);
create index i on t (text);
.print begun
begin;
${inserts}
commit;
begin immediate;
delete from t where n % 3 = 0;
.shell ${untilCheckpointed}
commit;
pragma integrity_check;
`,
      );
    },
    begun: /^begun$/,
    waits: true,
    // The database and what is beside it, as another program finds them.
    result: (find) => {
      const base = find('base.db');
      const said = execFileSync('sqlite3', [base, 'pragma integrity_check; select count(*), sum(n), sum(length(text)) from t'], {
        cwd: dirname(base),
        encoding: 'utf8',
      });
      return said;
    },
  });
}
