const hidden = '[Hidden Credential]';

/** A secret's value: up to what ends it in connection strings, URLs and quotes; not the mark of an earlier pass. */
const value = String.raw`(?!\[Hidden )[^\s;&<>"',]+`;
const settingPattern = new RegExp(
  String.raw`\b((?:Shared)?Access(?:Key|Signature)|AccountKey|Password|pwd)=${value}`,
  'gi',
);
const queryPattern = new RegExp(`([?&;]|&amp;)(sig|code)=${value}`, 'gi');

/**
 * Hides credentials in the text of an error before it is stored: what the Functions host does to exception messages
 * (azure-functions-host, WebJobs.Script/Sanitizer.cs), narrowed to the secret itself.
 */
export function redactCredentials(text: string): string {
  return text.replaceAll(settingPattern, `$1=${hidden}`).replaceAll(queryPattern, `$1$2=${hidden}`);
}
