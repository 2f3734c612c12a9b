import { clsx, type ClassValue } from "clsx";
import { twMerge } from "tailwind-merge";

/** Class names as one string; of two that say the same thing the later one wins. */
export function cn(...inputs: ClassValue[]): string {
  return twMerge(clsx(inputs));
}
