export type { CodecName, Decompress, PlatformCodecs } from "./codecs.ts";
export { parquetSource, type ParquetSourceOptions } from "./parquet-source.ts";
