/**
 * The folders in which spills are made. What a killed process leaves of them lies there for good, and on Windows holds keys:
 * whoever makes the next one removes it.
 */

import { lstat, mkdtemp, readdir, rm, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { Spill } from './spill.ts';
import { spillError } from './spillTexts.ts';

export type SpillPurpose = 'compare' | 'undo';

/** The files in a folder of a purpose. */
const FILES: Readonly<Record<SpillPurpose, readonly string[]>> = { compare: ['before', 'after'], undo: ['rows'] };

/** As `mkdtemp` makes it, which adds six characters. */
const NAME = /^hubkeeper-(compare|undo)-[0-9A-Za-z]{6}$/;

/** Nothing that is at work is as old. */
const LEFT_MS = 24 * 60 * 60_000;

export interface SpillOptions {
  readonly within: string;
  readonly purpose: SpillPurpose;
  /** About how many bytes all files will take; absent: not known. */
  readonly expected?: number | undefined;
}

/** A folder that nobody else may read, with its spills; it goes with all that is in it. */
export class SpillFolder {
  private readonly path: string;
  private readonly options: SpillOptions;
  private readonly spills: Spill[] = [];

  private constructor(folder: string, options: SpillOptions) {
    this.path = folder;
    this.options = options;
  }

  /**
   * Those that are left over there are removed first.
   *
   * @throws HubKeeperError of `SPILL_TEXTS`, and so does whatever writes into it
   */
  static async make(options: SpillOptions): Promise<SpillFolder> {
    const { within, purpose, expected } = options;
    await removeLeftSpills(within);
    try {
      return new SpillFolder(await mkdtemp(path.join(within, `hubkeeper-${purpose}-`)), options);
    } catch (error) {
      throw spillError(error, within, expected);
    }
  }

  /** @param name one of those of the purpose */
  async open(name: string, buckets: number): Promise<Spill> {
    try {
      const spill = await Spill.create(path.join(this.path, name), buckets, (error) => this.explain(error));
      this.spills.push(spill);
      return spill;
    } catch (error) {
      throw this.explain(error);
    }
  }

  async remove(): Promise<void> {
    for (const spill of this.spills) await spill.close();
    await rm(this.path, { recursive: true, force: true });
  }

  private explain(error: unknown): unknown {
    return spillError(error, this.options.within, this.options.expected);
  }
}

interface LeftOptions {
  /** Epoch ms. */
  readonly now?: number;
  /** Whose folders are removed; undefined: the system does not tell (Windows, where each user has a folder for these). */
  readonly user?: number | undefined;
}

/** Removes what processes have left there more than a day ago. What cannot be removed stays: it is nobody's concern now. */
export async function removeLeftSpills(
  within: string,
  { now = Date.now(), user = process.getuid?.() }: LeftOptions = {},
): Promise<void> {
  const names = await readdir(within).catch(() => []);
  for (const name of names) {
    const purpose = NAME.exec(name)?.[1] as SpillPurpose | undefined;
    if (purpose === undefined) continue;
    await removeIfLeft(path.join(within, name), FILES[purpose], now - LEFT_MS, user).catch(() => undefined);
  }
}

/** Never what is in a folder of a folder, or behind a link; a folder with anything else in it is none of ours. */
async function removeIfLeft(
  folder: string,
  known: readonly string[],
  before: number,
  user: number | undefined,
): Promise<void> {
  const { uid, mtimeMs, isDirectory } = await factsOf(folder);
  if (!isDirectory || mtimeMs > before || (user !== undefined && uid !== user)) return;
  const files = await readdir(folder);
  if (!files.every((file) => known.includes(file))) return;
  const paths = files.map((file) => path.join(folder, file));
  for (const file of paths) if ((await factsOf(file)).mtimeMs > before) return;
  for (const file of paths) await unlink(file);
  await rmdir(folder);
}

async function factsOf(file: string) {
  const facts = await lstat(file);
  return { uid: facts.uid, mtimeMs: facts.mtimeMs, isDirectory: facts.isDirectory() };
}
