import { DataError } from "../../errors/index.ts";
import type { RandomAccess } from "../random-access.ts";
import { badMetadata } from "./flatbuffer.ts";
import {
  parseFooter, parseMessage, type IpcBlock, type IpcFooter, type IpcMessage, type IpcSchema,
} from "./metadata.ts";

/** One message and where its body lies in the input. */
export interface PlacedMessage {
  readonly message: IpcMessage;
  readonly metadata: Uint8Array;
  readonly bodyOffset: number;
}

const MAGIC = "ARROW1";
const CONTINUATION = -1;

/** Is this the file format, which begins with its name? Otherwise it can only be a stream. */
export async function isArrowFile(access: RandomAccess): Promise<boolean> {
  return access.size >= MAGIC.length && hasMagic(await access.read(0, MAGIC.length));
}

function hasMagic(bytes: Uint8Array): boolean {
  for (let i = 0; i < MAGIC.length; i++) if (bytes[i] !== MAGIC.charCodeAt(i)) return false;
  return true;
}

/**
 * A file's schema and blocks, in the order of the footer; every block checked to lie inside the file, none over
 * another.
 */
export async function readFooter(access: RandomAccess): Promise<{ footer: IpcFooter; bytes: Uint8Array }> {
  const { size } = access;
  const trailer = size >= 18 ? await access.read(size - 10, 10) : undefined;
  if (trailer === undefined || !hasMagic(trailer.subarray(4))) {
    throw new DataError("arrow/truncated", "The Arrow file does not end in its footer. It is cut off or damaged; get " +
      "a fresh copy.", { size });
  }
  const footerLength = int32(trailer, 0);
  if (footerLength <= 0 || footerLength > size - 18) badMetadata("a footer larger than the file");
  const bytes = await access.read(size - 10 - footerLength, footerLength);
  const footer = parseFooter(bytes);

  const end = size - 10 - footerLength;
  const inOrder = [...footer.dictionaries, ...footer.records].sort((a, b) => a.offset - b.offset);
  let at = 8; // the name and two bytes of padding
  for (const block of inOrder) {
    if (block.offset < at) badMetadata("blocks that overlap");
    at = block.offset + block.metadataLength + block.bodyLength;
    if (at > end) badMetadata("a block outside the file");
  }
  return { footer, bytes };
}

export async function readBlock(access: RandomAccess, block: IpcBlock): Promise<PlacedMessage> {
  const framed = await access.read(block.offset, block.metadataLength);
  if (framed.length < 8) badMetadata("a message without metadata");
  const prefix = int32(framed, 0) === CONTINUATION ? 8 : 4;
  const length = int32(framed, prefix - 4);
  if (length <= 0 || prefix + length > framed.length) badMetadata("message metadata larger than its block");
  const message = parseMessage(framed.subarray(prefix, prefix + length));
  if (message.bodyLength !== block.bodyLength) badMetadata("a message body of another length than the footer says");
  return { message, metadata: framed, bodyOffset: block.offset + block.metadataLength };
}

/**
 * The messages of a stream. It must end with its end mark or right after a message; anything after the end mark is
 * refused, since it would be left unread.
 */
export async function* readStream(access: RandomAccess): AsyncGenerator<PlacedMessage> {
  const { size } = access;
  let at = 0;
  while (at < size) {
    let length = int32(await take(access, at, 4), 0);
    at += 4;
    if (length === CONTINUATION) {
      length = int32(await take(access, at, 4), 0);
      at += 4;
    } // else the older framing, which has no mark
    if (length === 0) {
      if (at < size) {
        throw new DataError("arrow/trailing-bytes", `The Arrow stream ends at byte ${at}, but ${size - at} bytes ` +
          `follow. Split them off or write one stream.`, { offset: at, bytes: size - at });
      }
      return;
    }
    if (length < 0) badMetadata("a message of negative length");
    const metadata = await take(access, at, length);
    at += length;
    const message = parseMessage(metadata);
    if (message.bodyLength > size - at) truncated(size);
    yield { message, metadata, bodyOffset: at };
    at += message.bodyLength;
  }
}

/** The schema that opens a stream. */
export async function readStreamSchema(access: RandomAccess): Promise<IpcSchema> {
  for await (const { message } of readStream(access)) return requireSchema(message);
  throw new DataError("arrow/truncated", "The input is empty: no Arrow schema. Give a file or stream written by " +
    "Arrow.", { size: access.size });
}

export function requireSchema(message: IpcMessage): IpcSchema {
  return message.kind === "schema" ? message.schema : badMetadata("a stream that does not begin with its schema");
}

async function take(access: RandomAccess, offset: number, length: number): Promise<Uint8Array> {
  if (offset + length > access.size) truncated(access.size);
  return access.read(offset, length);
}

function truncated(size: number): never {
  throw new DataError("arrow/truncated", `The Arrow stream ends inside a message, at byte ${size}. It is cut off or ` +
    `damaged; get a fresh copy.`, { size });
}

function int32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
