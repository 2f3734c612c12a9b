/** Where people go who have not asked for anything else. */
export const HOME = "/dashboard/chat";

const HERE = "http://here.invalid";

/** The path to go to after the sign-in: of this app, or its home. */
export function nextPath(asked: string | null | undefined): string {
  if (!asked?.startsWith("/") || !URL.canParse(asked, HERE)) return HOME;
  const url = new URL(asked, HERE);
  if (url.origin !== HERE || url.pathname.startsWith("//")) return HOME;
  return url.pathname + url.search + url.hash;
}
