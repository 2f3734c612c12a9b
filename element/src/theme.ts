/** The public theme option as `--ck-*` properties. The defaults are in theme.css. */

import type { ColorOption, ColorScheme, FontObject, ThemeOption } from "@openai/chatkit";

import css from "./theme.css";

type Rgb = readonly [red: number, green: number, blue: number];
type Palette = Record<string, Rgb>;

const AA = 4.5;
const INK: Rgb = [16, 24, 20];
const WHITE: Rgb = [255, 255, 255];
const TONES = ["ok", "danger", "warn", "info", "discovery"] as const;

const RADIUS = {
  pill: ["20px", "12px"],
  round: ["16px", "10px"],
  soft: ["10px", "7px"],
  sharp: ["3px", "2px"],
} as const;
const GAP = { compact: "12px", normal: "16px", spacious: "20px" } as const;

/** Shows the host in this theme, and forgets the one before. */
export function applyTheme(host: HTMLElement, theme: ColorScheme | ThemeOption | undefined): void {
  const option: ThemeOption = typeof theme === "string" ? { colorScheme: theme } : (theme ?? {});
  const scheme: ColorScheme = option.colorScheme === "dark" ? "dark" : "light";
  host.dataset.scheme = scheme;
  for (const name of [...host.style].filter((name) => name.startsWith("--ck-")))
    host.style.removeProperty(name);
  for (const [name, value] of Object.entries({ ...shape(option), ...colors(scheme, option.color) }))
    host.style.setProperty(`--ck-${name}`, value);
  for (const font of option.typography?.fontSources ?? []) register(font);
}

function shape({ radius, density, typography }: ThemeOption): Record<string, string> {
  const properties: Record<string, string> = {};
  if (radius && Object.hasOwn(RADIUS, radius)) {
    const [large, small] = RADIUS[radius];
    Object.assign(properties, { radius: large, "radius-small": small });
  }
  if (density && Object.hasOwn(GAP, density)) properties.gap = GAP[density];
  const { baseSize, fontFamily, fontFamilyMono } = typography ?? {};
  if (typeof baseSize === "number") properties.size = `${Math.min(18, Math.max(14, baseSize))}px`;
  if (fontFamily) properties.font = fontFamily;
  if (fontFamilyMono) properties.mono = fontFamilyMono;
  return properties;
}

/** The palette that a colour option asks for, every text colour readable on what lies under it. */
function colors(scheme: ColorScheme, option: ColorOption | undefined): Record<string, string> {
  if (!option) return {};
  const palette = defaults(scheme);
  const accent = parse(option.accent?.primary);
  if (accent) palette.accent = accent;
  const ground = surface(scheme, option);
  if (ground) Object.assign(palette, ground);
  const color = (name: string): Rgb => palette[name] ?? INK;
  const bg = color("bg");
  if (ground) {
    const toward = (name: string, share: number): Rgb => mix(bg, color(name), share);
    Object.assign(palette, { soft: toward("fg", 0.05), line: toward("fg", 0.13) });
    palette.muted = toward("fg", 0.68);
    for (const name of TONES)
      palette[`${name}-soft`] = toward(name, scheme === "dark" ? 0.16 : 0.1);
  }
  if (accent) {
    palette.soft = mix(color("soft"), accent, level(option) * 0.04);
    palette["on-accent"] = onTop(accent);
    palette.link = accent;
  }
  const under = [bg, color("soft")];
  for (const name of ["fg", "muted", "link"]) palette[name] = readable(color(name), under);
  for (const name of TONES)
    palette[name] = readable(color(name), [...under, color(`${name}-soft`)]);
  return Object.fromEntries(Object.entries(palette).map(([name, rgb]) => [name, hex(rgb)]));
}

/** The accent's level is how much of it the soft surfaces take on. */
function level(option: ColorOption): number {
  return Math.min(3, Math.max(0, Number(option.accent?.level) || 0));
}

/** Background and foreground: given, or grey with a tint of a hue (a positive shade is darker). */
function surface(scheme: ColorScheme, option: ColorOption): Palette | null {
  const bg = parse(option.surface?.background);
  const fg = parse(option.surface?.foreground);
  if (!option.grayscale) return bg || fg ? { ...(bg && { bg }), ...(fg && { fg }) } : null;
  const { hue, tint, shade = 0 } = option.grayscale;
  const [ground, ink] =
    scheme === "dark" ? [10 - shade, 93] : [100 - Math.max(0, shade), 12 - shade];
  const grey = (lightness: number): Rgb | null =>
    parse(`hsl(${Number(hue) || 0} ${2 * (Number(tint) || 0)}% ${lightness}%)`);
  return { bg: bg ?? grey(ground) ?? WHITE, fg: fg ?? grey(ink) ?? INK };
}

function defaults(scheme: ColorScheme): Palette {
  const block = css.split("}")[scheme === "dark" ? 1 : 0] ?? "";
  const found = [...block.matchAll(/--ck-([a-z-]+):\s*(#[0-9a-f]{6})/g)];
  return Object.fromEntries(found.map(([, name = "", value]) => [name, parse(value) ?? INK]));
}

/** How well one colour is read on another, from 1 to 21 (WCAG 2). */
function contrast(one: Rgb, other: Rgb): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((byte) =>
    byte <= 10 ? byte / 3294.6 : ((byte / 255 + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** The colour, darkened or lightened as little as it takes to be read on all these grounds. */
function readable(color: Rgb, grounds: readonly Rgb[]): Rgb {
  const fits = (candidate: Rgb): boolean =>
    grounds.every((ground) => contrast(candidate, ground) >= AA);
  const end = onTop(grounds[0] ?? WHITE);
  for (let step = 0; step < 50; step++) {
    const candidate = mix(color, end, step / 50);
    if (fits(candidate)) return candidate;
  }
  return end;
}

/** Dark or white text for this ground, whichever reads better. */
function onTop(ground: Rgb): Rgb {
  return contrast(INK, ground) >= contrast(WHITE, ground) ? INK : WHITE;
}

function mix([r1, g1, b1]: Rgb, [r2, g2, b2]: Rgb, share: number): Rgb {
  const between = (a: number, b: number): number => Math.round(a + (b - a) * share);
  return [between(r1, r2), between(g1, g2), between(b1, b2)];
}

function hex(rgb: Rgb): string {
  return `#${rgb.map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

let canvas: CanvasRenderingContext2D | null | undefined;

/** Any CSS colour, without its transparency; null if it is none. */
function parse(color: string | undefined): Rgb | null {
  if (!color || !CSS.supports("color", color)) return null;
  canvas ??= document.createElement("canvas").getContext("2d");
  if (!canvas) return null;
  canvas.fillStyle = color;
  // What a browser writes back: #rrggbb, rgba() when transparent; newer colour spaces as they came.
  const written = canvas.fillStyle;
  const bytes = /^#/.test(written)
    ? written.match(/[0-9a-f]{2}/g)?.map((byte) => parseInt(byte, 16))
    : /^rgb/.test(written)
      ? written.match(/[\d.]+/g)?.map(Number)
      : drawn(canvas);
  const [red, green, blue] = bytes ?? [];
  return red === undefined || green === undefined || blue === undefined ? null : [red, green, blue];
}

function drawn(context: CanvasRenderingContext2D): number[] {
  context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
}

const registered = new Set<string>();

function register(font: FontObject): void {
  const key = JSON.stringify(font);
  if (registered.has(key)) return;
  registered.add(key);
  const { family, src, weight, style, display, unicodeRange } = font;
  const face = new FontFace(family, `url(${JSON.stringify(src)})`, {
    ...(weight !== undefined && { weight: String(weight) }),
    ...(style && { style }),
    ...(display && { display }),
    ...(unicodeRange && { unicodeRange }),
  });
  document.fonts.add(face);
}
