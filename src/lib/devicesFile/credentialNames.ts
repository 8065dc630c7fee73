/** Names under which people write keys, thumbprints and the like where the format has another place for them. */

const WORDS = new Set(
  (
    'key keys thumbprint thumbprints fingerprint fingerprints certificate certificates cert certs x509 passphrase pwd ' +
    'secret secrets credential credentials sas token auth authentication schlüssel zertifikat fingerabdruck'
  ).split(' '),
);
/** Told by what is in the name, since these are written as one word too. */
const PARTS =
  /connectionstring|connstr|sharedaccess|thumbprint|fingerprint|primarykey|secondarykey|symmetrickey|accesskey|privatekey|devicekey|apikey|password|passwort|kennwort|authenticationtype|authtype|sastoken|(?:prim|sekund|ger|symmetrisch|zugriffs|zugangs)\p{L}*schl(?:ü|ue)ssel/u;

/** What somebody means by a name in small letters without anything between them: fields, and their other names. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'authentication.symmetricKey.primaryKey': 'primarykey symmetrickey devicekey key1 primärschlüssel',
  'authentication.symmetricKey.secondaryKey': 'secondarykey sekundärschlüssel key2',
  'authentication.x509Thumbprint.primaryThumbprint':
    'thumbprint primarythumbprint certificatethumbprint certthumbprint x509thumbprint fingerprint',
  'authentication.x509Thumbprint.secondaryThumbprint': 'secondarythumbprint',
  'authentication.type': 'auth authtype authenticationtype',
};

const MEANT = new Map(
  Object.entries(OTHER_NAMES).flatMap(([field, names]) => names.split(' ').map((name) => [name, field] as const)),
);

/** Whether the name is that of a key, a thumbprint, a way of authentication or another credential. */
export function isCredentialName(name: string): boolean {
  if (PARTS.test(joined(name))) return true;
  return wordsOf(name).some((word) => WORDS.has(word) || WORDS.has(word.replace(/[0-9]+$/, '')));
}

/** The field of a line that the name stands for, if that is clear. */
export function credentialField(name: string): string | undefined {
  const plain = joined(name);
  return MEANT.get(plain.replace(/^(?:authentication)?(?:symmetrickey|x509thumbprint)(?=primary|secondary)/, ''));
}

/** Of 16 bytes or more, with the padding that gives it away. */
const BASE64_KEY = /^(?:[A-Za-z0-9+/]{4}){5,21}(?:[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)$/;
const THUMBPRINT =
  /^(?:[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}|[0-9A-Fa-f]{2}(?:[: -][0-9A-Fa-f]{2}){19}|[0-9A-Fa-f]{2}(?:[: -][0-9A-Fa-f]{2}){31})$/;

/** Whether the text is a key, a thumbprint, or has a connection string or signature in it. */
export function looksLikeCredential(text: string): boolean {
  if (text.length < 24) return false;
  return (
    (text.length <= 95 && (BASE64_KEY.test(text) || THUMBPRINT.test(text))) ||
    /SharedAccess(?:Key=|Signature)|[?&]sig=|-----BEGIN /i.test(text)
  );
}

function joined(name: string): string {
  return wordsOf(name).join('');
}

function wordsOf(name: string): readonly string[] {
  return name
    .replace(/(\p{Ll}|[0-9])(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');
}
