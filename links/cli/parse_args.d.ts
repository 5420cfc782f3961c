/**
 * The types of the `@std/cli/parse-args` API, for the JavaScript build that
 * `parse_args.ts` loads. `tests/links_test.ts` holds them to it.
 *
 * Where `@std/cli` itself promises less than could be known here (an alias
 * declared the other way round, `_` when it is a string option), so do these
 * types; where it says `any`, they say `unknown`. Code that passes with them
 * passes with `@std/cli`.
 *
 * @module
 */

/** One name, or several. */
type OneOrMore = string | readonly string[];

/** What {@linkcode parseArgs} is told of the arguments that it may meet. */
export interface ParseOptions {
  /**
   * Whether what follows `--` is kept apart, in `"--"`, and not added to `_`.
   *
   * @default {false}
   */
  "--"?: boolean;
  /** Other names, for each flag that has some. */
  alias?: Readonly<Record<string, OneOrMore>>;
  /** Flags without a value, `false` when absent; `true` stands for every `--flag` not followed by `=`. */
  boolean?: boolean | OneOrMore;
  /** Flags that may come several times, and make a list. */
  collect?: OneOrMore;
  /** The values of flags that are absent. */
  default?: Readonly<Record<string, unknown>>;
  /** Flags that `--no-flag` sets to `false`. */
  negatable?: OneOrMore;
  /**
   * Whether everything from the first argument that is no flag goes to `_`.
   *
   * @default {false}
   */
  stopEarly?: boolean;
  /** Flags whose value is never made a number. */
  string?: OneOrMore;
  /** Called for each argument that no other option names; returning `false` drops it. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The names in the option `K` of `O`, as far as their spelling is known. */
type Names<O, K extends PropertyKey> = O extends { readonly [P in K]: infer V }
  ? V extends readonly (infer Name)[] ? Literal<Name>
  : Literal<V>
  : never;

/** `Name` if it is one certain string. */
type Literal<Name> = Name extends string ? string extends Name ? never : Name
  : never;

/** Every flag whose type is known from `O`, by the name it was declared with. */
type Declared<O> = Exclude<
  Names<O, "boolean"> | Names<O, "string"> | Names<O, "collect">,
  "_"
>;

/** The value of the flag `Name` when it was among the arguments. */
type Given<O, Name> =
  | Listed<
    O,
    Name,
    | (Name extends Names<O, "boolean"> ? boolean : never)
    | (Name extends Names<O, "string"> ? string : never)
  >
  | (Name extends Names<O, "negatable"> ? false : never);

/** `Value`, or a list of it if the flag `Name` is collected. */
type Listed<O, Name, Value> = Name extends Names<O, "collect">
  ? ([Value] extends [never] ? unknown : Value)[]
  : Value;

/** The value of the flag `Name` when it was not among the arguments. */
type Absent<O, Name> = O extends
  { readonly default: { readonly [P in Name & string]: infer Value } }
  ? Widened<Value>
  : Name extends Names<O, "boolean"> ? Listed<O, Name, false>
  : Name extends Names<O, "collect"> & Names<O, "string"> ? string[]
  : undefined;

/** The type that a value had before it became a constant. */
type Widened<T> = T extends string ? string
  : T extends number ? number
  : T extends boolean ? boolean
  : T extends readonly (infer Element)[] ? Widened<Element>[]
  : T;

/** `Name` and its other names. */
type WithAliases<O, Name extends string> =
  | Name
  | (O extends { readonly alias: infer Aliases } ? Names<Aliases, Name>
    : never);

/** `{ a: { b: Value } }` for the path `a.b`. */
type AtPath<Path extends string, Value> = Path extends
  `${infer First}.${infer Rest}` ? Property<First, AtPath<Rest, Value>, Value>
  : Property<Path, Value, Value>;

/** The property `Name`, which may be missing if `Value` may be. */
type Property<Name extends string, Type, Value> = undefined extends Value
  ? { [P in Name]?: Type | undefined }
  : { [P in Name]: Type };

/** `A & B & C` from `A | B | C`. */
type Intersection<Union> =
  (Union extends unknown ? (member: Union) => void : never) extends
    (all: infer All) => void ? All
    : never;

/** An intersection of object types written as one. */
type Flat<T> = { [P in keyof T]: T[P] };

/** What the flags `Name` add to the result, a type for each of their names. */
type Entries<O, Name extends string> = Name extends unknown
  ? AtPath<WithAliases<O, Name>, Given<O, Name> | Absent<O, Name>>
  : never;

/** What stands in `"--"`. */
type AfterDoubleDash<O> = O extends { readonly "--": infer Kept }
  ? Kept extends true ? { "--": string[] } : { "--"?: string[] }
  : unknown;

/** What {@linkcode parseArgs} returns when it was given `O`. */
export type Args<O = ParseOptions> = Flat<
  & {
    /** Any other flag: a string, a number, a boolean, or a list or an object of them. */
    [flag: string]: unknown;
    /** The arguments that belong to no flag. */
    _: (string | number)[];
  }
  & AfterDoubleDash<O>
  & ([Declared<O>] extends [never] ? unknown
    : Intersection<Entries<O, Declared<O>>>)
>;

/** Takes a command line's arguments apart into flags and the rest. */
export function parseArgs<const O extends ParseOptions = Record<never, never>>(
  args: string[],
  options?: O & ParseOptions,
): Args<O>;

export {};
