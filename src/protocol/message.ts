import type { JsonObject } from '../shared/json/value.ts';

/** What a tap says to a target. Records and states are JSON text as bytes: cargo that is not opened on the way. */
export type Message = SchemaMessage | RecordMessage | StateMessage | ActivateVersionMessage;

export type SchemaMessage = {
  readonly type: 'schema';
  readonly stream: string;
  readonly schema: JsonObject;
  readonly keyProperties: readonly string[];
  readonly bookmarkProperties?: readonly string[];
};

export type RecordMessage = {
  readonly type: 'record';
  readonly stream: string;
  /** One JSON object; valid until the next message is asked for. */
  readonly record: Uint8Array;
  /** RFC 3339. */
  readonly timeExtracted?: string;
  readonly version?: Version;
  /** A JSON list that tells what was changed in the record before it came here. */
  readonly changes?: Uint8Array;
};

export type StateMessage = {
  readonly type: 'state';
  /** Any JSON value. */
  readonly state: Uint8Array;
};

/** Of a load of a whole stream; some taps count nanoseconds. */
export type Version = number | bigint;

/** From now on only records that carry this version are current (a full refresh is complete). */
export type ActivateVersionMessage = {
  readonly type: 'activate_version';
  readonly stream: string;
  readonly version: Version;
};

/** Rows of a stream that are in files, one JSON object a line. */
export type BatchMessage = {
  readonly type: 'batch';
  readonly stream: string;
  readonly format: string;
  readonly compression: string | undefined;
  /** URLs of the files. */
  readonly manifest: readonly string[];
  readonly version?: Version;
};

/** A well-formed line of a type that this program does not know; to be skipped with a warning. */
export type UnknownMessage = { readonly type: 'unknown'; readonly name: string };

/** What a line says; undefined if nothing has to be done about it. */
export type Decoded = Message | BatchMessage | UnknownMessage | undefined;

/** One wire format. Decoding throws a config error that says what is wrong with the line, without quoting it. */
export type Codec = {
  /** The line's bytes, line break included, in pieces to be written one after the other. */
  readonly encode: (message: Message) => readonly Uint8Array[];
  readonly decode: (line: Uint8Array) => Decoded;
};
