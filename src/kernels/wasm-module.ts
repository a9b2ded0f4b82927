/**
 * A writer of small WebAssembly modules, for loops that need sixteen bytes at a time. Expressions are arrays of code bytes;
 * statements go into a FunctionBody, which knows how deep its blocks are. One module imports one memory and exports functions.
 *
 * Source: WebAssembly Core Specification 2.0, chapter 5 (binary format).
 */
export type Code = readonly number[];

export const I32 = 0x7f;
export const I64 = 0x7e;
export const F64 = 0x7c;
export const V128 = 0x7b;
export type WasmType = typeof I32 | typeof I64 | typeof F64 | typeof V128;

export interface Local {
  readonly index: number;
  readonly type: WasmType;
}

/** A block to leave or a loop to begin again. */
export interface Label {
  readonly depth: number;
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const more = rest > 0x7f;
    bytes.push((rest & 0x7f) | (more ? 0x80 : 0));
    rest >>>= 7;
  } while (rest !== 0);
  return bytes;
}

function signed(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; ) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && byte < 0x40) || (rest === -1n && byte >= 0x40)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

const unary = (...opcode: number[]) => (a: Code): Code => [...a, ...opcode];
const binary = (...opcode: number[]) => (a: Code, b: Code): Code => [...a, ...b, ...opcode];
/** Alignment 0: any address will do. */
const load = (...opcode: number[]) => (at: Code, offset = 0): Code => [...at, ...opcode, 0, ...unsigned(offset)];
const store = (...opcode: number[]) => (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...opcode, 0, ...unsigned(offset)];
const vector = (opcode: number): number[] => [0xfd, ...unsigned(opcode)];

export const get = (local: Local): Code => [0x20, ...unsigned(local.index)];
/** `ifTrue` where the condition is not 0; both are evaluated. */
export const select = (ifTrue: Code, ifFalse: Code, condition: Code): Code => [...ifTrue, ...ifFalse, ...condition, 0x1b];

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(BigInt(value | 0))],
  load: load(0x28),
  load8: load(0x2d),
  store: store(0x36),
  store8: store(0x3a),
  isZero: unary(0x45),
  eq: binary(0x46),
  ne: binary(0x47),
  lessS: binary(0x48),
  lessU: binary(0x49),
  moreU: binary(0x4b),
  divideU: binary(0x6e),
  trailingZeros: unary(0x68),
  bitsSet: unary(0x69),
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  or: binary(0x72),
  xor: binary(0x73),
  shiftLeft: binary(0x74),
  shiftRight: binary(0x76),
  ofI64: unary(0xa7),
  /** Of a number from 0 to below 2^32; others trap. */
  ofF64: unary(0xab),
};

/** A local and a constant. */
export const plus = (local: Local, amount: number): Code => i32.add(get(local), i32.const(amount));

export const i64 = {
  load: load(0x29),
  store: store(0x37),
  ofI32: unary(0xad),
  eq: binary(0x51),
  ne: binary(0x52),
  and: binary(0x83),
  shiftRight: binary(0x88),
  const: (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))],
};

export const f64 = {
  load: load(0x2b),
  store: store(0x39),
  const: (value: number): Code => [0x44, ...new Uint8Array(new Float64Array([value]).buffer)],
  add: binary(0xa0),
  sub: binary(0xa1),
  mul: binary(0xa2),
  div: binary(0xa3),
  ofI32: unary(0xb7),
  eq: binary(0x61),
  ne: binary(0x62),
  less: binary(0x63),
  abs: unary(0x99),
  /** Half to even. */
  nearest: unary(0x9e),
};

export const v128 = {
  load: load(...vector(0)),
  const: (bytes: ArrayLike<number>): Code => [...vector(12), ...Array.from(bytes)],
  swizzle: binary(...vector(14)),
  splat8: (byte: number): Code => [...vector(12), ...Array.from({ length: 16 }, () => byte & 0xff)],
  splat16: (value: number): Code => [...vector(12), ...Array.from({ length: 16 }, (_, i) => (value >>> ((i & 1) * 8)) & 0xff)],
  /** Sixteen times the lowest byte of a number. */
  splat8Of: unary(...vector(15)),
  lane32: (a: Code, lane: number): Code => [...a, ...vector(27), lane],
  eq8: binary(...vector(35)),
  lessU8: binary(...vector(38)),
  moreU8: binary(...vector(40)),
  and: binary(...vector(78)),
  or: binary(...vector(80)),
  xor: binary(...vector(81)),
  anyTrue: unary(...vector(83)),
  bitmask8: unary(...vector(100)),
  sub8: binary(...vector(113)),
  store: store(...vector(11)),
  add32: binary(...vector(174)),
  maxU32: binary(...vector(185)),
  shiftLeft32: binary(...vector(171)),
  shiftRight16: (a: Code, bits: number): Code => [...a, ...i32.const(bits), ...vector(141)],
  add16: binary(...vector(142)),
  mul16: binary(...vector(149)),
  /** Products of neighbouring signed 16-bit lanes, added in pairs. */
  dot16: binary(...vector(186)),
};

/** Memory of WebAssembly is little-endian everywhere; typed arrays over it are so only here. */
export function isLittleEndian(): boolean {
  return new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
}

export class FunctionBody {
  readonly params: readonly WasmType[];
  readonly result: WasmType | undefined;
  readonly #locals: WasmType[] = [];
  readonly #code: number[] = [];
  #depth = 0;

  constructor(params: readonly WasmType[], result?: WasmType) {
    this.params = params;
    this.result = result;
  }

  param(index: number): Local {
    return { index, type: this.params[index]! };
  }

  local(type: WasmType): Local {
    this.#locals.push(type);
    return { index: this.params.length + this.#locals.length - 1, type };
  }

  /** A statement that leaves nothing behind, such as a store. */
  do(code: Code): void {
    for (const byte of code) this.#code.push(byte);
  }

  set(local: Local, value: Code): void {
    this.do([...value, 0x21, ...unsigned(local.index)]);
  }

  block(body: (exit: Label) => void): void {
    this.#nested(0x02, body);
  }

  loop(body: (again: Label) => void): void {
    this.#nested(0x03, body);
  }

  if(condition: Code, then: () => void, otherwise?: () => void): void {
    this.do(condition);
    this.#nested(0x04, () => {
      then();
      if (otherwise === undefined) return;
      this.do([0x05]);
      otherwise();
    });
  }

  branch(label: Label): void {
    this.do([0x0c, ...unsigned(this.#depth - label.depth)]);
  }

  branchIf(label: Label, condition: Code): void {
    this.do([...condition, 0x0d, ...unsigned(this.#depth - label.depth)]);
  }

  return(value: Code): void {
    this.do([...value, 0x0f]);
  }

  #nested(opcode: number, body: (label: Label) => void): void {
    this.do([opcode, 0x40]);
    this.#depth++;
    body({ depth: this.#depth });
    this.#depth--;
    this.do([0x0b]);
  }

  /** As in the code section. The last statement of a function with a result must return. */
  encoded(): Code {
    const locals = this.#locals.flatMap((type) => [1, type]);
    const end = this.result === undefined ? [0x0b] : [0x00, 0x0b]; // unreachable: every path has returned
    const body = [...unsigned(this.#locals.length), ...locals, ...this.#code, ...end];
    return [...unsigned(body.length), ...body];
  }
}

/** Code that calls a function of the same module by its place in the list given to `moduleBytes`. */
export function call(place: number, ...args: readonly Code[]): Code {
  return [...args.flat(), 0x10, ...unsigned(place)];
}

/**
 * A module of these functions over the imported memory `memory.memory`.
 * @param functions in the order of their places; the ones with an export name can be called from outside
 */
export function moduleBytes(functions: readonly { readonly name?: string; readonly body: FunctionBody }[]): Uint8Array<ArrayBuffer> {
  const text = (value: string): number[] => [...unsigned(value.length), ...Array.from(value, (char) => char.charCodeAt(0))];
  const list = (entries: readonly Code[]): number[] => [...unsigned(entries.length), ...entries.flat()];
  const section = (id: number, content: readonly number[]): number[] => [id, ...unsigned(content.length), ...content];
  const types = functions.map(({ body }) => [
    0x60, ...unsigned(body.params.length), ...body.params, ...(body.result === undefined ? [0] : [1, body.result]),
  ]);
  const exported = functions.flatMap(({ name }, place): Code[] => (name === undefined ? [] : [[...text(name), 0, ...unsigned(place)]]));
  return new Uint8Array([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, list(types)),
    ...section(2, list([[...text("memory"), ...text("memory"), 2, 0, 1]])),
    ...section(3, list(functions.map((_, place) => unsigned(place)))),
    ...section(7, list(exported)),
    ...section(10, list(functions.map(({ body }) => body.encoded()))),
  ]);
}
