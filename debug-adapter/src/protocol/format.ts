/**
 * How sizes, times and simulated times are written for people: the same by the command and in every view. Pure. Tests: test/unit/format.test.ts.
 */
import type { RestartChange, SimulatedTime } from './snapshot.js';

/** 1536 → "1.5 KiB". */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** 0.42 → "0.42 ms", 1234 → "1.23 s", 75000 → "1 min 15 s". */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(2)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

const scale = [
  [0, 's'],
  [-3, 'ms'],
  [-6, 'µs'],
  [-9, 'ns'],
  [-12, 'ps'],
  [-15, 'fs'],
] as const;

/** Exact, in the largest unit that leaves at most three places: 1500000 ticks of 1 ps → "1.5 µs". */
export function formatSimulatedTime(time: SimulatedTime): string {
  const ticks = BigInt(time.ticks);
  if (ticks === 0n) return '0 s';
  // In femtoseconds, or in ticks where they are finer than that.
  const floor = Math.min(time.unit, -15);
  const value = ticks * 10n ** BigInt(time.unit - floor);
  for (const [exponent, name] of scale) {
    const unit = 10n ** BigInt(exponent - floor);
    const whole = value / unit;
    const rest = value % unit;
    if (whole === 0n) continue;
    const places =
      rest === 0n
        ? ''
        : rest
            .toString()
            .padStart(exponent - floor, '0')
            .replace(/0+$/, '');
    if (places.length > 3 && exponent > Math.max(time.unit, -15)) continue;
    return `${whole}${places === '' ? '' : `.${places}`} ${name}`;
  }
  return `${time.ticks} × 10^${time.unit} s`;
}

/** To four digits, for where there is little room: 1448275000 ticks of 1 ps → "1.448 ms". */
export function formatSimulatedTimeBriefly({ ticks, unit }: SimulatedTime): string {
  const seconds = Number(ticks) * 10 ** unit;
  const [exponent, name] = scale.find(([exponent]) => seconds >= 10 ** exponent) ?? [0, 's'];
  return `${Number((seconds / 10 ** exponent).toPrecision(4))} ${name}`;
}

/** Local time, to the second: "2026-03-01 14:05:09". */
export function formatTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** Columns as wide as their widest cell; the last one is not padded. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, Array.from(cell).length);
    });
  return rows
    .map((row) =>
      row
        .map((cell, index) =>
          index === row.length - 1 ? cell : cell + ' '.repeat((widths[index] ?? 0) - Array.from(cell).length),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A word as a POSIX shell needs it. */
export function shellWord(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** `waits for process 4711 (vvp): it is in a critical section (bus lock), for 812 ms`; empty where nobody keeps an operation off. */
export function formatHoldOff(heldOff: readonly { virtualPid: number; program: string; why: string }[]): string {
  const [first] = heldOff;
  if (first === undefined) return '';
  const others = heldOff.length === 1 ? '' : `, and for ${heldOff.length - 1} more`;
  return `waits for process ${first.virtualPid} (${first.program}): ${first.why}${others}`;
}

/** Of an operation that a breakpoint holds. */
export const heldText = (heldAt: string): string => `held before ${heldAt}; cairn resume lets it go on`;

/** A line of what a restart changes: "variable SEED: 1 → 7". */
export function changeText({ what, before, now }: RestartChange): string {
  const value = (text: string): string => (text === '' ? 'none' : text);
  return before === '' ? `${what}: ${value(now)}` : `${what}: ${before} → ${value(now)}`;
}
