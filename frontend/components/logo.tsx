import { cn } from "@/lib/cn";

/** The mark: a bridge. Decoration beside the name, or the name itself where there is no room. */
export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" className={cn("size-7 shrink-0", className)}>
      <rect width="32" height="32" rx="8" className="fill-primary" />
      <path
        d="M7 21v-2a9 9 0 0 1 18 0v2M7 21h18M12 21v-5.5M20 21v-5.5M16 21V10"
        fill="none"
        strokeWidth="2.4"
        strokeLinecap="round"
        className="stroke-primary-foreground"
      />
    </svg>
  );
}
