/** What is said of files that are being attached. */

export const words = {
  attach: "Attach files",
  list: "Attached files",
  drop: "Drop files here",
  waiting: "Waiting",
  looking: "Almost there",
  pasted: "Pasted picture",
  again: "Try again",
  remove: (name: string) => `Remove ${name}`,
  removed: (name: string) => `${name} was removed.`,
  attached: (name: string) => `${name} is attached.`,
  failed: (name: string, why: string) => `${name} could not be attached. ${why}`,
  uploading: (name: string) => `Uploading ${name}`,
  wait: "Wait until all files are there.",
  mend: (name: string) => `${name} could not be attached: try again, or remove it.`,
  folder: "Folders can't be attached: choose the files in them.",
  empty: (name: string) => `${name} is empty.`,
  tooMany: (most: number) =>
    most === 1 ? "A message carries one file." : `A message carries at most ${most} files.`,
  tooLarge: (name: string, most: string) => `${name} is too large: a file has at most ${most}.`,
  notAccepted: (name: string) => `${name} is of a kind that is not accepted here.`,
  broken: "The connection was lost. Try again.",
  gone: "The file can't be read any more: it was changed or moved. Remove it, and attach it again.",
} as const;

/** Bytes as people write them. */
export function sizeInWords(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let [value, unit] = [bytes, 0];
  while (value >= 999.5 && unit < units.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
