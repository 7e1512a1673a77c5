/**
 * The preflight: whether a snapshot can be restarted here and now, before anything is started. Each finding has a reason and
 * a remedy; one of severity `error` forbids the restart. What is checked of the machine is in preflight-host.ts.
 * Tests: test/unit/preflight.test.ts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ruleFor } from '../model/file-rules.js';
import { statIfThere } from '../platform/files.js';
import { hostIdentity, libcVersion, processor } from '../platform/host.js';
import { hasNativeFile, nativeFile } from '../platform/installation.js';
import { asCairnError, reason } from '../protocol/errors.js';
import { FileHandling, type MappedFile, type NeededFile } from '../protocol/generated/image_pb.js';
import type { ChangedFile, FileRule } from '../protocol/rules.js';
import type { Manifest, PreflightFinding, SnapshotSummary } from '../protocol/snapshot.js';
import { fileChecksum } from './checksum.js';
import { buildId } from './elf.js';
import { type ImageMetadata, metadataName, readImageMetadata } from './image-metadata.js';
import { missingFeatures, missingXfeatures, spaceFindings } from './preflight-host.js';
import { wholeManifest } from './snapshot-folder.js';
import { verify } from './verification.js';

export interface PreflightOptions {
  /** Virtual prefix → real prefix. */
  paths: readonly { from: string; to: string }[];
  /** Folder that will take what the run writes; null: in place. */
  outputs: string | null;
  /** Folder for the unpacked pages of a compressed snapshot. */
  cache: string;
  /** Of this restart; the first that fits decides. */
  rules?: readonly FileRule[];
  changedFiles?: ChangedFile;
  /** Told of open files that have another time than at the checkpoint, and may be used all the same. */
  accept?: (virtualPath: string) => void;
}

export const isFatal = (findings: readonly PreflightFinding[]): boolean => findings.some((one) => one.severity === 'error');

export function preflightText(findings: readonly PreflightFinding[]): string {
  return findings.map((one) => `  ${one.severity}: ${one.message}\n    ${one.remedy}`).join('\n');
}

export async function preflight(snapshot: SnapshotSummary, options: PreflightOptions): Promise<PreflightFinding[]> {
  const findings: PreflightFinding[] = [];
  const add = (severity: PreflightFinding['severity'], code: string, message: string, remedy: string): void =>
    void findings.push({ severity, code, message, remedy });

  for (const name of ['libcairn.so', 'cairn-launch', 'cairn-restore'] as const) {
    try {
      nativeFile(name);
    } catch (error) {
      const { message, remedy } = asCairnError(error);
      add('error', 'installation', message, remedy);
    }
  }
  let manifest: Manifest;
  const images: ImageMetadata[] = [];
  try {
    manifest = wholeManifest(snapshot.path);
    await verify(snapshot.path, manifest);
    for (const { virtualPid } of manifest.processes) images.push(image(snapshot.path, virtualPid));
  } catch (error) {
    const { message, remedy } = asCairnError(error);
    add('error', 'snapshot', message, remedy);
    return findings;
  }

  const here = hostIdentity();
  if (manifest.host.architecture !== here.architecture) {
    add(
      'error',
      'architecture',
      `It was made on ${manifest.host.architecture}; this machine is ${here.architecture}.`,
      `Restart it on a machine with ${manifest.host.architecture}.`,
    );
    return findings;
  }
  if (images.some(({ header }) => header.architecture === 'i386') && !hasNativeFile('i386/cairn-restore')) {
    add(
      'error',
      'architecture',
      'There are 32-bit programs in it, and this installation has no restorer for those.',
      'Restart it with an installation that was built where g++-multilib is.',
    );
  }
  const { flags, model } = processor();
  for (const { header } of images) {
    const missing = missingFeatures(header.cpuFeatures, flags);
    const state = missingXfeatures(header.xfeatures, flags);
    if (missing.length + state.length === 0) continue;
    add(
      'error',
      'cpu-features',
      `The program uses what this processor (${model}) does not have: ${[...new Set([...missing, ...state])].join(', ')}.`,
      `Restart it on a processor like ${header.cpuModel || manifest.host.cpuModel}.`,
    );
  }
  if (manifest.host.kernel !== here.kernel) {
    add(
      'warning',
      'kernel',
      `It was made under Linux ${manifest.host.kernel}; this is ${here.kernel}.`,
      'Usually harmless. If it fails, restart it under the same kernel.',
    );
  }
  const libc = libcVersion();
  if (manifest.host.libc !== '' && libc !== '' && manifest.host.libc !== libc) {
    add(
      'warning',
      'libc',
      `It was made with libc ${manifest.host.libc}; this machine has ${libc}.`,
      'Give it the old one by --path, where its files are reported as changed.',
    );
  }
  findings.push(...(await fileFindings(images, manifest, options)));
  findings.push(...spaceFindings(manifest, images, options));
  return findings;
}

function image(folder: string, virtualPid: number): ImageMetadata {
  const name = metadataName(virtualPid);
  try {
    return readImageMetadata(join(folder, name));
  } catch (error) {
    throw new Error(`${name}: ${reason(error)}`, { cause: error });
  }
}

/** Where a virtual path is found: the longest prefix that was given decides. */
export function realPath(path: string, paths: PreflightOptions['paths']): string {
  const fits = paths.filter(({ from }) => path === from || path.startsWith(from.endsWith('/') ? from : `${from}/`));
  const best = fits.reduce<(typeof fits)[number] | undefined>(
    (a, b) => (a === undefined || b.from.length > a.from.length ? b : a),
    undefined,
  );
  return best === undefined ? path : join(best.to, path.slice(best.from.length));
}

type WantedFile = MappedFile | NeededFile;

async function fileFindings(
  images: readonly ImageMetadata[],
  { openFiles }: Manifest,
  { paths, rules = [], changedFiles = 'refuse', accept }: PreflightOptions,
): Promise<PreflightFinding[]> {
  const findings = new Map<string, PreflightFinding>();
  const checksums = new Map(openFiles.map(({ path, checksum }) => [path, checksum]));
  const look = async (file: WantedFile, path: string, use: string): Promise<void> => {
    if (findings.has(path)) return;
    const problem = await whyNotTheSame(file, path, checksums.get(file.path));
    if (problem === 'same') return accept?.(file.path);
    if (problem === undefined) return;
    const isCode = 'buildId' in file && file.buildId !== '';
    const rule = ruleFor(file.path, rules);
    if (problem === 'changed' && !isCode && rule === 'ignore') return;
    if (problem === 'changed' && !isCode && changedFiles === 'use') {
      findings.set(path, {
        severity: 'warning',
        code: 'changed-file',
        message: `${described(file, path, use)} has changed since the snapshot was made; it is used as it is now.`,
        remedy: 'Without --changed-file use it is refused.',
      });
      return;
    }
    findings.set(path, fileFinding(file, path, use, problem));
  };
  // What one process has written comes back for those, too, that only read it.
  const saved = new Set(
    images.flatMap(({ neededFiles }) =>
      neededFiles.filter(({ handling }) => handling === FileHandling.FILE_SAVED).map(({ path }) => path),
    ),
  );
  for (const { mappedFiles, neededFiles } of images) {
    for (const file of mappedFiles) await look(file, realPath(file.path, paths), 'has mapped');
    for (const file of neededFiles) {
      if (!isNeeded(file, saved, rules)) continue;
      // What an earlier run wrote lies in its run folder, where this one will find it, too.
      if (file.real !== '' && (await whyNotTheSame(file, file.real)) === undefined) continue;
      await look(
        file,
        realPath(file.path, paths),
        file.handling === FileHandling.FILE_CHECKED ? 'has open for reading' : 'is to use',
      );
    }
  }
  return [...findings.values()];
}

/** What was saved comes back from the snapshot, unless this restart wants the file that is there. */
function isNeeded({ path }: NeededFile, saved: ReadonlySet<string>, rules: readonly FileRule[]): boolean {
  if (!saved.has(path)) return true;
  const rule = ruleFor(path, rules);
  return rule === 'check' || rule === 'ignore';
}

type Problem = 'unreadable' | 'missing' | 'changed';

/** `same`: the content is the same, although the time is another. */
async function whyNotTheSame(file: WantedFile, path: string, checksum?: string): Promise<Problem | 'same' | undefined> {
  const found = statIfThere(path);
  if (found === undefined) return existsSync(path) ? 'unreadable' : 'missing';
  if ('handling' in file && file.handling === FileHandling.FILE_IGNORED) return undefined;
  if (found.size === file.size && found.mtimeNs === file.mtimeNs) return undefined;
  if (found.size !== file.size) return 'changed';
  // A copy or a reinstallation has another time; an equal build id or checksum says that the content is the same.
  if ('buildId' in file && file.buildId !== '' && buildId(path) === file.buildId) return 'same';
  try {
    return checksum !== undefined && (await fileChecksum(path)) === checksum ? 'same' : 'changed';
  } catch {
    return 'unreadable';
  }
}

function described(file: WantedFile, path: string, use: string): string {
  return `The file ${path === file.path ? path : `${path} (for ${file.path})`}, which the program ${use},`;
}

function fileFinding(file: WantedFile, path: string, use: string, problem: Problem): PreflightFinding {
  const where = described(file, path, use);
  const option = `--path ${file.path}=NEWPATH`;
  if (problem === 'changed') {
    const isCode = 'buildId' in file && file.buildId !== '';
    return {
      severity: 'error',
      code: 'changed-file',
      message: `${where} has changed since the snapshot was made.`,
      remedy: isCode
        ? `Bring the old one back, or say where it is: ${option}. A snapshot made with --file '${file.path}=save' has its code with it.`
        : `Bring the old one back, or say where it is: ${option}. To go on with the new one: --file '${file.path}=ignore', or --changed-file use for all.`,
    };
  }
  return {
    severity: 'error',
    code: 'missing-file',
    message: `${where} ${problem === 'missing' ? 'is missing' : 'cannot be read'}.`,
    remedy: `Bring it back, or say where it is now: ${option}`,
  };
}
