/**
 * Sentences that go with codes, in tables: code → what happened, and what to do. `{names}` are gaps that are filled with
 * numbers, names and words of our own. Whoever gives a code fills its gaps, and the types hold them to it; the
 * documentation is written from the same tables.
 */

export interface CodeText {
  /** What happened, one or two sentences. */
  readonly says: string;
  /** What a person can do about it; absent: nothing. */
  readonly action?: string;
  /** Whether the app has retried by itself before it says so. */
  readonly retried?: true;
  /** In general words, for the documentation, where the sentence of the moment says too little of the code. */
  readonly doc?: { readonly says?: string; readonly action?: string };
}

/** The gaps of a template; what stands in braces and begins with a quote is JSON. */
type GapsIn<Template extends string> = Template extends `${string}{${infer Gap}}${infer Rest}`
  ? (Gap extends `"${string}` ? never : Gap) | GapsIn<Rest>
  : never;

type GapsOf<Text> =
  | (Text extends { readonly says: infer Says extends string } ? GapsIn<Says> : never)
  | (Text extends { readonly action: infer Action extends string } ? GapsIn<Action> : never);

/** The arguments that fill the gaps of a text: none where it has none. */
export type Filling<Text> = [GapsOf<Text>] extends [never]
  ? readonly []
  : readonly [values: { readonly [Gap in GapsOf<Text>]: string | number }];

/** Keys such as `cancelled:inDoubt` are one of several texts of a code. */
export type CodeOf<Key> = Key extends `${infer Code}:${string}` ? Code : Key;

export interface Said<Code> {
  readonly code: Code;
  readonly message: string;
  readonly action?: string;
}

/** Speaks from a table: gives a code with its sentences, filled in. */
export function speakerOf<const Table extends Readonly<Record<string, CodeText>>>(table: Table) {
  return <Key extends keyof Table & string>(key: Key, ...filling: Filling<Table[Key]>): Said<CodeOf<Key>> => {
    const { says, action } = table[key] as CodeText;
    const values: FillValues = filling[0] ?? {};
    return {
      code: codeOf(key),
      message: fill(says, values),
      ...(action === undefined ? {} : { action: fill(action, values) }),
    };
  };
}

export function codeOf<Key extends string>(key: Key): CodeOf<Key> {
  return key.split(':', 1)[0] as CodeOf<Key>;
}

export type FillValues = Readonly<Record<string, string | number>>;

export function fill(template: string, values: FillValues): string {
  return template.replace(/\{([a-z]+)\}/g, (_, name: string) => String(values[name] ?? ''));
}
