/** What a widget says, read with care: any member may be missing, of another type, or hostile. */

export const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : "";

export const record = (value: unknown): Record<string, unknown> | null =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;

/** The objects of a list, without whatever else is in it. */
export const records = (value: unknown): Record<string, unknown>[] =>
  [value]
    .flat()
    .map(record)
    .filter((entry) => entry !== null);

/** The value if it is a key of the table; else null. */
export function choice<T>(table: Readonly<Record<string, T>>, value: unknown): T | null {
  return typeof value === "string" && Object.hasOwn(table, value) ? (table[value] ?? null) : null;
}

const LENGTH = /^\d*\.?\d+(px|r?em|%|ch|lh|d?v[hw])$/;
const KEYWORD = /^(auto|(min|max|fit)-content)$/;
const LONGEST = 4096;

/** A CSS length of the wire: a number in `unit` px, or one length, percentage or keyword; else null. */
export function length(value: unknown, unit = 1): string | null {
  const size = typeof value === "string" && /^\d*\.?\d+$/.test(value) ? Number(value) : value;
  if (typeof size === "number") return size >= 0 ? `${Math.min(size * unit, LONGEST)}px` : null;
  return typeof size === "string" && (LENGTH.test(size) || KEYWORD.test(size)) ? size : null;
}

/** A count of at least 1; else null. */
export const count = (value: unknown): number | null =>
  typeof value === "number" && value >= 1 ? Math.floor(value) : null;

/** A number that CSS takes as it is (`2`), or a ratio (`16/9`); else null. */
export const ratio = (value: unknown): string | null => {
  const written = text(value);
  return /^\d*\.?\d+(\s*\/\s*\d*\.?\d+)?$/.test(written) ? written : null;
};

/** Growth, and no more of `flex` than shrink and a length after it; else null. */
export const flex = (value: unknown): string | null => {
  const parts = text(value).split(/\s+/);
  const [last = ""] = parts.slice(-1);
  const fits =
    parts.slice(0, -1).every((part) => ratio(part)) && (ratio(last) ?? length(last)) !== null;
  return fits && parts.length <= 3 ? parts.join(" ") : null;
};

const TEXT_COLORS = {
  prose: "var(--ck-fg)",
  primary: "var(--ck-fg)",
  emphasis: "var(--ck-fg)",
  secondary: "var(--ck-muted)",
  tertiary: "var(--ck-muted)",
  success: "var(--ck-ok)",
  danger: "var(--ck-danger)",
  warning: "var(--ck-warn)",
  caution: "var(--ck-warn)",
  info: "var(--ck-info)",
  discovery: "var(--ck-discovery)",
};
const SURFACES = {
  surface: "var(--ck-bg)",
  "surface-secondary": "var(--ck-soft)",
  "surface-tertiary": "var(--ck-line)",
  "surface-elevated": "var(--ck-bg)",
  "surface-elevated-secondary": "var(--ck-soft)",
};
const LINES = {
  default: "var(--ck-line)",
  subtle: "var(--ck-soft)",
  strong: "var(--ck-muted)",
};
const HUES = {
  gray: null,
  red: 25,
  orange: 50,
  yellow: 95,
  green: 150,
  blue: 255,
  purple: 300,
  pink: 350,
};
const TOKENS = { text: TEXT_COLORS, surface: SURFACES, line: LINES };
const FUNCTION = /^(rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\([\w\s.,%/+-]*\)$/i;
const NAME = /^(#[\da-f]{3,8}|[a-z]+)$/i;

/**
 * A CSS colour of the wire: a token of its kind, a primitive ("red-500"), a plain CSS colour, or
 * `{light, dark}` of these; else null. It never refers to anything: no var(), no url().
 */
export function color(value: unknown, kind: keyof typeof TOKENS): string | null {
  const both = record(value);
  if (both) {
    const [light, dark] = [color(both.light, kind), color(both.dark, kind)];
    return light && dark ? `light-dark(${light}, ${dark})` : (light ?? dark);
  }
  if (typeof value !== "string") return null;
  return choice<string>(TOKENS[kind], value) ?? primitive(value) ?? plain(value);
}

function primitive(value: string): string | null {
  const [, name, step] = /^([a-z]+)-(\d{1,3})$/.exec(value) ?? [];
  if (!name || !Object.hasOwn(HUES, name)) return null;
  const hue = choice<number | null>(HUES, name);
  const lightness = (0.99 - (Math.min(Number(step), 1000) / 1000) * 0.78).toFixed(3);
  return `oklch(${lightness} ${hue === null ? "0.005 260" : `0.15 ${hue}`})`;
}

function plain(value: string): string | null {
  return (NAME.test(value) || FUNCTION.test(value)) && CSS.supports("color", value) ? value : null;
}
