/**
 * Texts of programs in messages and images: names of files and arguments are bytes, and need not be UTF-8. What is not is shown with U+FFFD in its
 * place; a program that has such a name is no less a member of the computation. To be imported by whoever reads messages.
 * Tests: test/protocol/frames.test.ts.
 */
import { configureTextEncoding } from '@bufbuild/protobuf/wire';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

configureTextEncoding({
  checkUtf8: (text) => text.isWellFormed(),
  encodeUtf8: (text) => encoder.encode(text),
  encodeUtf8Into: (text, to) => encoder.encodeInto(text, to),
  decodeUtf8: (bytes) => decoder.decode(bytes),
});
