/**
 * The size of a section of a twin as a hub counts it (IoT Hub docs, "Understand and use device twins in IoT Hub"): keys and
 * texts in UTF-8 without control characters, 8 bytes a number, 4 a boolean.
 */
export function sectionSize(value: unknown): number {
  switch (typeof value) {
    case 'string':
      return Buffer.byteLength(value.replaceAll(/\p{Cc}+/gu, ''));
    case 'number':
      return 8;
    case 'boolean':
      return 4;
    default: {
      if (value === null || value === undefined) return 0;
      if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + sectionSize(item), 0);
      let size = 0;
      for (const [key, inner] of Object.entries(value)) size += sectionSize(key) + sectionSize(inner);
      return size;
    }
  }
}
