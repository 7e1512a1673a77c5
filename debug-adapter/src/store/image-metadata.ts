/**
 * The metadata of one process's image, p<virtual pid>.meta (format: native-agent/protocol/image.proto), read as far as the
 * preflight and the manifest need it: header, mapped files, and open files. Tests: test/unit/preflight.test.ts.
 */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import '../protocol/foreign-text.js';
import {
  type Header,
  HeaderSchema,
  type MappedFile,
  MappedFileSchema,
  type NeededFile,
  NeededFileSchema,
  RecordType,
} from '../protocol/generated/image_pb.js';

const MAGIC = 'CAIRNIMG';
export const IMAGE_FORMAT = 1;
const PREFIX = 16;

export interface ImageMetadata {
  header: Header;
  mappedFiles: MappedFile[];
  /** Open, or mapped with their content; see `handling`. */
  neededFiles: NeededFile[];
}

export function metadataName(virtualPid: number): string {
  return `p${virtualPid}.meta`;
}

export function pagesName(virtualPid: number): string {
  return `p${virtualPid}.pages`;
}

function checkPrefix(bytes: Buffer): void {
  if (bytes.length < PREFIX || bytes.toString('latin1', 0, 8) !== MAGIC) throw new Error('it is no image of a process');
  const format = bytes.readUInt32LE(8);
  if (format !== IMAGE_FORMAT) throw new Error(`its format is ${format}; this version of Cairn reads ${IMAGE_FORMAT}`);
}

/** Throws an Error that says what is wrong. */
export function readImageMetadata(path: string): ImageMetadata {
  const bytes = readFileSync(path);
  checkPrefix(bytes);
  let header: Header | undefined;
  const mappedFiles: MappedFile[] = [];
  const neededFiles: NeededFile[] = [];
  for (let at = PREFIX; ; ) {
    if (at + 8 > bytes.length) throw new Error('it ends before its last record');
    const type = bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    const body = bytes.subarray(at + 8, at + 8 + length);
    if (body.length < length) throw new Error('it ends within a record');
    if (type === RecordType.RECORD_END) break;
    if (type === RecordType.RECORD_HEADER) header = fromBinary(HeaderSchema, body);
    else if (type === RecordType.RECORD_MAPPED_FILE) mappedFiles.push(fromBinary(MappedFileSchema, body));
    else if (type === RecordType.RECORD_NEEDED_FILE) neededFiles.push(fromBinary(NeededFileSchema, body));
    at += 8 + length;
  }
  if (header === undefined) throw new Error('it has no header');
  return { header, mappedFiles, neededFiles };
}

/** The header alone, which is the first record: a short read, whatever the size of the file. */
export function readImageHeader(path: string): Header {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(PREFIX + 8);
    const got = readSync(file, start, 0, start.length, 0);
    checkPrefix(start.subarray(0, got));
    if (got < start.length || start.readUInt32LE(PREFIX) !== RecordType.RECORD_HEADER)
      throw new Error('it does not begin with a header');
    const body = Buffer.alloc(start.readUInt32LE(PREFIX + 4));
    if (readSync(file, body, 0, body.length, start.length) < body.length) throw new Error('it ends within its header');
    return fromBinary(HeaderSchema, body);
  } finally {
    closeSync(file);
  }
}
